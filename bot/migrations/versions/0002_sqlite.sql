-- Second factors, and the recovery codes that came with each.

CREATE TABLE second_factors (
    id INTEGER NOT NULL,
    person_id INTEGER NOT NULL,
    secret_sealed BLOB,
    begun_at INTEGER NOT NULL,
    proved INTEGER NOT NULL,
    verified_at INTEGER,
    trusted_at INTEGER,
    removal_at INTEGER,
    ended_at INTEGER,
    last_step INTEGER,
    wrong_tries INTEGER NOT NULL,
    locks INTEGER NOT NULL,
    locked_until INTEGER,
    notice_at INTEGER,
    PRIMARY KEY (id),
    CONSTRAINT counters_are_not_negative CHECK (wrong_tries >= 0 AND locks >= 0),
    CONSTRAINT a_live_one_has_a_secret CHECK (ended_at IS NOT NULL OR secret_sealed IS NOT NULL),
    CONSTRAINT verified_has_a_time_of_trust CHECK ((verified_at IS NULL) = (trusted_at IS NULL)),
    CONSTRAINT verified_by_a_code CHECK ((verified_at IS NULL) = (last_step IS NULL)),
    CONSTRAINT trusted_after_it_was_verified CHECK (trusted_at >= verified_at),
    FOREIGN KEY(person_id) REFERENCES people (user_id)
) STRICT;

CREATE UNIQUE INDEX uq_second_factors_begun ON second_factors (person_id) WHERE verified_at IS NULL AND ended_at IS NULL;

CREATE INDEX ix_second_factors_live ON second_factors (person_id) WHERE ended_at IS NULL;

CREATE INDEX ix_second_factors_notice ON second_factors (notice_at) WHERE notice_at IS NOT NULL;

CREATE TABLE recovery_codes (
    id INTEGER NOT NULL,
    factor_id INTEGER NOT NULL,
    code_hash BLOB NOT NULL,
    used_at INTEGER,
    PRIMARY KEY (id),
    CONSTRAINT a_recovery_code_once UNIQUE (factor_id, code_hash),
    FOREIGN KEY(factor_id) REFERENCES second_factors (id)
) STRICT;

-- No code counts twice, whoever writes.

CREATE TRIGGER no_step_counts_twice BEFORE UPDATE ON second_factors
WHEN NEW.last_step < OLD.last_step OR (OLD.last_step IS NOT NULL AND NEW.last_step IS NULL)
BEGIN SELECT RAISE(ABORT, 'a code that was used is not taken again'); END;

CREATE TRIGGER what_has_ended_stays_so BEFORE UPDATE ON second_factors
WHEN OLD.ended_at IS NOT NULL AND NEW.ended_at IS NOT OLD.ended_at
BEGIN SELECT RAISE(ABORT, 'a factor that has ended stays so'); END;

CREATE TRIGGER a_used_recovery_code_stays_used BEFORE UPDATE ON recovery_codes
WHEN OLD.used_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a used recovery code stays used'); END;
