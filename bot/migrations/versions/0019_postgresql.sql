-- Whether whoever listens at the webhook has taken the news of an alarm: what was not taken outlives the program.

ALTER TABLE alarms ADD COLUMN raised_told_at BIGINT;

ALTER TABLE alarms ADD COLUMN cleared_told_at BIGINT;

UPDATE alarms SET raised_told_at = cleared_at, cleared_told_at = cleared_at WHERE cleared_at IS NOT NULL;

CREATE INDEX ix_alarms_untold ON alarms (raised_at)
    WHERE raised_told_at IS NULL OR (cleared_at IS NOT NULL AND cleared_told_at IS NULL);
