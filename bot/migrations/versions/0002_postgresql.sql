-- Second factors, and the recovery codes that came with each.

CREATE TABLE second_factors (
    id BIGINT NOT NULL,
    person_id BIGINT NOT NULL,
    secret_sealed BYTEA,
    begun_at BIGINT NOT NULL,
    proved BOOLEAN NOT NULL,
    verified_at BIGINT,
    trusted_at BIGINT,
    removal_at BIGINT,
    ended_at BIGINT,
    last_step BIGINT,
    wrong_tries INTEGER NOT NULL,
    locks INTEGER NOT NULL,
    locked_until BIGINT,
    notice_at BIGINT,
    PRIMARY KEY (id),
    CONSTRAINT counters_are_not_negative CHECK (wrong_tries >= 0 AND locks >= 0),
    CONSTRAINT a_live_one_has_a_secret CHECK (ended_at IS NOT NULL OR secret_sealed IS NOT NULL),
    CONSTRAINT verified_has_a_time_of_trust CHECK ((verified_at IS NULL) = (trusted_at IS NULL)),
    CONSTRAINT verified_by_a_code CHECK ((verified_at IS NULL) = (last_step IS NULL)),
    CONSTRAINT trusted_after_it_was_verified CHECK (trusted_at >= verified_at),
    FOREIGN KEY(person_id) REFERENCES people (user_id)
);

CREATE UNIQUE INDEX uq_second_factors_begun ON second_factors (person_id) WHERE verified_at IS NULL AND ended_at IS NULL;

CREATE INDEX ix_second_factors_live ON second_factors (person_id) WHERE ended_at IS NULL;

CREATE INDEX ix_second_factors_notice ON second_factors (notice_at) WHERE notice_at IS NOT NULL;

CREATE TABLE recovery_codes (
    id BIGINT NOT NULL,
    factor_id BIGINT NOT NULL,
    code_hash BYTEA NOT NULL,
    used_at BIGINT,
    PRIMARY KEY (id),
    CONSTRAINT a_recovery_code_once UNIQUE (factor_id, code_hash),
    FOREIGN KEY(factor_id) REFERENCES second_factors (id)
);

-- No code counts twice, whoever writes.

CREATE TRIGGER no_step_counts_twice BEFORE UPDATE ON second_factors FOR EACH ROW
WHEN (NEW.last_step < OLD.last_step OR (OLD.last_step IS NOT NULL AND NEW.last_step IS NULL))
EXECUTE FUNCTION bot_refuse('a code that was used is not taken again');

CREATE TRIGGER what_has_ended_stays_so BEFORE UPDATE ON second_factors FOR EACH ROW
WHEN (OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at)
EXECUTE FUNCTION bot_refuse('a factor that has ended stays so');

CREATE TRIGGER a_used_recovery_code_stays_used BEFORE UPDATE ON recovery_codes FOR EACH ROW
WHEN (OLD.used_at IS NOT NULL)
EXECUTE FUNCTION bot_refuse('a used recovery code stays used');
