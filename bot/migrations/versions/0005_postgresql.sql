-- Wrong answers one by one, and who may answer no more until somebody makes sure of them.

CREATE TABLE wrong_answers (
    id BIGINT NOT NULL,
    person_id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(person_id) REFERENCES people (user_id)
);

CREATE INDEX ix_wrong_answers_person ON wrong_answers (person_id, at);

ALTER TABLE people ADD COLUMN barred_at BIGINT;
ALTER TABLE people ADD COLUMN unlocked_at BIGINT;

-- Payees somebody trusts.

CREATE TABLE trusted_payees (
    id BIGINT NOT NULL,
    payer_id BIGINT NOT NULL,
    payee_id BIGINT NOT NULL,
    trusted_at BIGINT NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT a_trusted_payee_once UNIQUE (payer_id, payee_id),
    CONSTRAINT nobody_trusts_themselves CHECK (payer_id <> payee_id),
    FOREIGN KEY(payer_id) REFERENCES people (user_id),
    FOREIGN KEY(payee_id) REFERENCES people (user_id)
);

-- Payments somebody is to look at.

CREATE TABLE reviews (
    id BIGINT NOT NULL,
    intent_id BIGINT NOT NULL,
    alarms VARCHAR NOT NULL,
    opened_at BIGINT NOT NULL,
    closed_at BIGINT,
    outcome VARCHAR NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT one_review_for_an_intent UNIQUE (intent_id),
    CONSTRAINT outcome_is_known CHECK (outcome IN ('open', 'released', 'refused', 'cancelled', 'expired')),
    CONSTRAINT closed_has_a_time CHECK ((outcome = 'open') = (closed_at IS NULL)),
    FOREIGN KEY(intent_id) REFERENCES intents (id)
);

-- The master keys this database was written with.

CREATE TABLE known_keys (
    key_id VARCHAR NOT NULL,
    fingerprint VARCHAR NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (key_id)
);

CREATE TRIGGER a_key_stays_the_same BEFORE UPDATE ON known_keys
FOR EACH ROW EXECUTE FUNCTION bot_refuse('a key never becomes another');

CREATE TRIGGER what_was_decided_stays BEFORE UPDATE ON reviews FOR EACH ROW
WHEN (OLD.outcome <> 'open')
EXECUTE FUNCTION bot_refuse('a review is decided once');

-- An admin's reason may be sealed anew under another key; nothing else of the row changes.

DROP TRIGGER admin_actions_are_not_changed ON admin_actions;

CREATE TRIGGER admin_actions_are_not_changed BEFORE UPDATE ON admin_actions FOR EACH ROW
WHEN (
    NEW.id <> OLD.id OR NEW.at <> OLD.at OR NEW.actor <> OLD.actor OR NEW.channel <> OLD.channel
    OR NEW.action <> OLD.action OR NEW.subject <> OLD.subject OR NEW.facts <> OLD.facts
    OR (NEW.reason_sealed IS NULL) <> (OLD.reason_sealed IS NULL)
)
EXECUTE FUNCTION bot_refuse('what an admin did is never changed');

CREATE TRIGGER admin_actions_are_not_deleted BEFORE DELETE ON admin_actions
FOR EACH ROW EXECUTE FUNCTION bot_refuse('what an admin did is never deleted');
