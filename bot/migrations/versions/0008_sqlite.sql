-- How far X's limits are used up, what was asked of X each day, and messages that go out as one.

CREATE TABLE call_windows (
    call TEXT NOT NULL,
    window_seconds INTEGER NOT NULL,
    allowed INTEGER NOT NULL,
    used INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    told_at INTEGER,
    PRIMARY KEY (call, window_seconds),
    CONSTRAINT calls_are_not_negative CHECK (used >= 0 AND allowed >= 0),
    CONSTRAINT a_window_has_a_length CHECK (window_seconds > 0)
) STRICT;

CREATE TABLE call_counts (
    day TEXT NOT NULL,
    call TEXT NOT NULL,
    calls INTEGER NOT NULL,
    charged INTEGER NOT NULL,
    PRIMARY KEY (day, call),
    CONSTRAINT counts_are_not_negative CHECK (calls >= 0 AND charged >= 0)
) STRICT;

ALTER TABLE outbox ADD COLUMN merged_into INTEGER REFERENCES outbox (id);

CREATE INDEX ix_outbox_merged ON outbox (merged_into) WHERE merged_into IS NOT NULL;

CREATE INDEX ix_outbox_waiting ON outbox (person_id) WHERE state = 'waiting';

CREATE INDEX ix_outbox_sending ON outbox (person_id) WHERE state = 'sending';
