-- Questions about one's own account, and who was erased.

CREATE TABLE questions (
    id BIGINT NOT NULL,
    person_id BIGINT NOT NULL,
    kind VARCHAR NOT NULL,
    subject_id BIGINT,
    nonce BYTEA NOT NULL,
    key_id VARCHAR NOT NULL,
    asked_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    closed_at BIGINT,
    PRIMARY KEY (id),
    CONSTRAINT kind_is_known CHECK (kind IN ('erase', 'trust')),
    CONSTRAINT trust_is_in_somebody CHECK ((kind = 'trust') = (subject_id IS NOT NULL)),
    FOREIGN KEY(person_id) REFERENCES people (user_id),
    FOREIGN KEY(subject_id) REFERENCES people (user_id)
);

CREATE INDEX ix_questions_open ON questions (person_id) WHERE closed_at IS NULL;

CREATE TABLE erasures (
    id BIGINT NOT NULL,
    person_hash BYTEA NOT NULL,
    erased_at BIGINT NOT NULL,
    done_at BIGINT NOT NULL,
    left_id BIGINT,
    listed_at BIGINT,
    PRIMARY KEY (id),
    CONSTRAINT stands_in_for_nobody_on_x CHECK (id < 0)
);

CREATE INDEX ix_erasures_person ON erasures (person_hash);

-- That somebody was erased is never forgotten, or their old orders could count again.

CREATE TRIGGER erasures_are_not_deleted BEFORE DELETE ON erasures
FOR EACH ROW EXECUTE FUNCTION bot_refuse('an erasure is never forgotten');

CREATE TRIGGER erasures_are_not_truncated BEFORE TRUNCATE ON erasures
FOR EACH STATEMENT EXECUTE FUNCTION bot_refuse('an erasure is never forgotten');

CREATE TRIGGER erasures_are_not_changed BEFORE UPDATE ON erasures FOR EACH ROW
WHEN (NEW.id <> OLD.id OR NEW.person_hash <> OLD.person_hash OR NEW.erased_at <> OLD.erased_at OR NEW.done_at <> OLD.done_at)
EXECUTE FUNCTION bot_refuse('an erasure is never changed');

-- What was decided still stays decided. But an id of X's may become its stand-in (below zero) once, and never anything else.

DROP TRIGGER authorisations_are_not_changed ON authorisations;

CREATE TRIGGER authorisations_are_not_deleted BEFORE DELETE ON authorisations
FOR EACH ROW EXECUTE FUNCTION bot_refuse('an authorisation is never deleted');

CREATE TRIGGER authorisations_are_not_changed BEFORE UPDATE ON authorisations FOR EACH ROW
WHEN (
    NEW.id <> OLD.id OR NEW.kind <> OLD.kind OR NEW.intent_id IS DISTINCT FROM OLD.intent_id
    OR NEW.created_at <> OLD.created_at
    OR NOT (NEW.person_id = OLD.person_id OR (OLD.person_id > 0 AND NEW.person_id < 0))
    OR NOT (NEW.evidence = OLD.evidence OR (OLD.evidence > 0 AND NEW.evidence < 0))
    OR NOT (NEW.version IS NOT DISTINCT FROM OLD.version OR (OLD.version > 0 AND NEW.version < 0))
    OR (NEW.person_id = OLD.person_id AND NEW.evidence = OLD.evidence AND NEW.version IS NOT DISTINCT FROM OLD.version)
)
EXECUTE FUNCTION bot_refuse('an authorisation is never changed');

DROP TRIGGER what_was_paid_stays ON intents;

CREATE TRIGGER what_was_paid_stays BEFORE UPDATE ON intents FOR EACH ROW
WHEN (OLD.state = 'paid' AND (
    NEW.state <> 'paid' OR NEW.journal_id IS DISTINCT FROM OLD.journal_id
    OR NEW.authorisation_id IS DISTINCT FROM OLD.authorisation_id
    OR NOT (NEW.version = OLD.version OR (OLD.version > 0 AND NEW.version < 0))
    OR NOT (NEW.payer_id = OLD.payer_id OR (OLD.payer_id > 0 AND NEW.payer_id < 0))
    OR NEW.total_minor <> OLD.total_minor OR NEW.currency <> OLD.currency
))
EXECUTE FUNCTION bot_refuse('a paid intent is never changed');

DROP TRIGGER lines_keep_their_money ON intent_lines;

CREATE TRIGGER lines_keep_their_money BEFORE UPDATE ON intent_lines FOR EACH ROW
WHEN (
    NEW.intent_id <> OLD.intent_id OR NEW.amount_minor <> OLD.amount_minor
    OR NOT (NEW.version = OLD.version OR (OLD.version > 0 AND NEW.version < 0))
    OR NOT (NEW.payee_id = OLD.payee_id OR (OLD.payee_id > 0 AND NEW.payee_id < 0))
    OR (OLD.transfer_id IS NOT NULL AND NEW.transfer_id IS DISTINCT FROM OLD.transfer_id)
)
EXECUTE FUNCTION bot_refuse('who gets what is never changed');
