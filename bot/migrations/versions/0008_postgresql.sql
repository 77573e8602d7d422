-- How far X's limits are used up, what was asked of X each day, and messages that go out as one.

CREATE TABLE call_windows (
    call VARCHAR NOT NULL,
    window_seconds BIGINT NOT NULL,
    allowed BIGINT NOT NULL,
    used BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    told_at BIGINT,
    PRIMARY KEY (call, window_seconds),
    CONSTRAINT calls_are_not_negative CHECK (used >= 0 AND allowed >= 0),
    CONSTRAINT a_window_has_a_length CHECK (window_seconds > 0)
);

CREATE TABLE call_counts (
    day VARCHAR NOT NULL,
    call VARCHAR NOT NULL,
    calls BIGINT NOT NULL,
    charged BIGINT NOT NULL,
    PRIMARY KEY (day, call),
    CONSTRAINT counts_are_not_negative CHECK (calls >= 0 AND charged >= 0)
);

ALTER TABLE outbox ADD COLUMN merged_into BIGINT REFERENCES outbox (id);

CREATE INDEX ix_outbox_merged ON outbox (merged_into) WHERE merged_into IS NOT NULL;

CREATE INDEX ix_outbox_waiting ON outbox (person_id) WHERE state = 'waiting';

CREATE INDEX ix_outbox_sending ON outbox (person_id) WHERE state = 'sending';
