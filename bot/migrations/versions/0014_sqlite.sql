-- Questions about one's own account, and who was erased.

CREATE TABLE questions (
    id INTEGER NOT NULL,
    person_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    subject_id INTEGER,
    nonce BLOB NOT NULL,
    key_id TEXT NOT NULL,
    asked_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    closed_at INTEGER,
    PRIMARY KEY (id),
    CONSTRAINT kind_is_known CHECK (kind IN ('erase', 'trust')),
    CONSTRAINT trust_is_in_somebody CHECK ((kind = 'trust') = (subject_id IS NOT NULL)),
    FOREIGN KEY(person_id) REFERENCES people (user_id),
    FOREIGN KEY(subject_id) REFERENCES people (user_id)
) STRICT;

CREATE INDEX ix_questions_open ON questions (person_id) WHERE closed_at IS NULL;

CREATE TABLE erasures (
    id INTEGER NOT NULL,
    person_hash BLOB NOT NULL,
    erased_at INTEGER NOT NULL,
    done_at INTEGER NOT NULL,
    left_id INTEGER,
    listed_at INTEGER,
    PRIMARY KEY (id),
    CONSTRAINT stands_in_for_nobody_on_x CHECK (id < 0)
) STRICT;

CREATE INDEX ix_erasures_person ON erasures (person_hash);

-- That somebody was erased is never forgotten, or their old orders could count again.

CREATE TRIGGER erasures_are_not_deleted BEFORE DELETE ON erasures
BEGIN SELECT RAISE(ABORT, 'an erasure is never forgotten'); END;

CREATE TRIGGER erasures_are_not_changed BEFORE UPDATE ON erasures
WHEN NEW.id <> OLD.id OR NEW.person_hash <> OLD.person_hash OR NEW.erased_at <> OLD.erased_at OR NEW.done_at <> OLD.done_at
BEGIN SELECT RAISE(ABORT, 'an erasure is never changed'); END;

-- What was decided still stays decided. But an id of X's may become its stand-in (below zero) once, and never anything else.

DROP TRIGGER authorisations_are_not_changed;

CREATE TRIGGER authorisations_are_not_changed BEFORE UPDATE ON authorisations
WHEN NEW.id <> OLD.id OR NEW.kind <> OLD.kind OR NEW.intent_id IS NOT OLD.intent_id OR NEW.created_at <> OLD.created_at
    OR NOT (NEW.person_id = OLD.person_id OR (OLD.person_id > 0 AND NEW.person_id < 0))
    OR NOT (NEW.evidence = OLD.evidence OR (OLD.evidence > 0 AND NEW.evidence < 0))
    OR NOT (NEW.version IS OLD.version OR (OLD.version > 0 AND NEW.version < 0))
    OR (NEW.person_id = OLD.person_id AND NEW.evidence = OLD.evidence AND NEW.version IS OLD.version)
BEGIN SELECT RAISE(ABORT, 'an authorisation is never changed'); END;

DROP TRIGGER what_was_paid_stays;

CREATE TRIGGER what_was_paid_stays BEFORE UPDATE ON intents
WHEN OLD.state = 'paid' AND (
    NEW.state <> 'paid' OR NEW.journal_id IS NOT OLD.journal_id OR NEW.authorisation_id IS NOT OLD.authorisation_id
    OR NOT (NEW.version = OLD.version OR (OLD.version > 0 AND NEW.version < 0))
    OR NOT (NEW.payer_id = OLD.payer_id OR (OLD.payer_id > 0 AND NEW.payer_id < 0))
    OR NEW.total_minor <> OLD.total_minor OR NEW.currency <> OLD.currency
)
BEGIN SELECT RAISE(ABORT, 'a paid intent is never changed'); END;

DROP TRIGGER lines_keep_their_money;

CREATE TRIGGER lines_keep_their_money BEFORE UPDATE ON intent_lines
WHEN NEW.intent_id <> OLD.intent_id OR NEW.amount_minor <> OLD.amount_minor
    OR NOT (NEW.version = OLD.version OR (OLD.version > 0 AND NEW.version < 0))
    OR NOT (NEW.payee_id = OLD.payee_id OR (OLD.payee_id > 0 AND NEW.payee_id < 0))
    OR (OLD.transfer_id IS NOT NULL AND NEW.transfer_id IS NOT OLD.transfer_id)
BEGIN SELECT RAISE(ABORT, 'who gets what is never changed'); END;
