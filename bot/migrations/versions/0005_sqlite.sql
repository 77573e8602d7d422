-- Wrong answers one by one, and who may answer no more until somebody makes sure of them.

CREATE TABLE wrong_answers (
    id INTEGER NOT NULL,
    person_id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(person_id) REFERENCES people (user_id)
) STRICT;

CREATE INDEX ix_wrong_answers_person ON wrong_answers (person_id, at);

ALTER TABLE people ADD COLUMN barred_at INTEGER;
ALTER TABLE people ADD COLUMN unlocked_at INTEGER;

-- Payees somebody trusts.

CREATE TABLE trusted_payees (
    id INTEGER NOT NULL,
    payer_id INTEGER NOT NULL,
    payee_id INTEGER NOT NULL,
    trusted_at INTEGER NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT a_trusted_payee_once UNIQUE (payer_id, payee_id),
    CONSTRAINT nobody_trusts_themselves CHECK (payer_id <> payee_id),
    FOREIGN KEY(payer_id) REFERENCES people (user_id),
    FOREIGN KEY(payee_id) REFERENCES people (user_id)
) STRICT;

-- Payments somebody is to look at.

CREATE TABLE reviews (
    id INTEGER NOT NULL,
    intent_id INTEGER NOT NULL,
    alarms TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    closed_at INTEGER,
    outcome TEXT NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT one_review_for_an_intent UNIQUE (intent_id),
    CONSTRAINT outcome_is_known CHECK (outcome IN ('open', 'released', 'refused', 'cancelled', 'expired')),
    CONSTRAINT closed_has_a_time CHECK ((outcome = 'open') = (closed_at IS NULL)),
    FOREIGN KEY(intent_id) REFERENCES intents (id)
) STRICT;

-- The master keys this database was written with.

CREATE TABLE known_keys (
    key_id TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (key_id)
) STRICT;

CREATE TRIGGER a_key_stays_the_same BEFORE UPDATE ON known_keys
BEGIN SELECT RAISE(ABORT, 'a key never becomes another'); END;

CREATE TRIGGER what_was_decided_stays BEFORE UPDATE ON reviews
WHEN OLD.outcome <> 'open'
BEGIN SELECT RAISE(ABORT, 'a review is decided once'); END;

-- An admin's reason may be sealed anew under another key; nothing else of the row changes.

DROP TRIGGER admin_actions_are_not_changed;

CREATE TRIGGER admin_actions_are_not_changed BEFORE UPDATE ON admin_actions
WHEN NEW.id <> OLD.id OR NEW.at <> OLD.at OR NEW.actor <> OLD.actor OR NEW.channel <> OLD.channel
    OR NEW.action <> OLD.action OR NEW.subject <> OLD.subject OR NEW.facts <> OLD.facts
    OR (NEW.reason_sealed IS NULL) <> (OLD.reason_sealed IS NULL)
BEGIN SELECT RAISE(ABORT, 'what an admin did is never changed'); END;
