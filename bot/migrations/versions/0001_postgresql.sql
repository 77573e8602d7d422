CREATE TABLE book (
    single INTEGER NOT NULL,
    is_demo BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    bot_user_id BIGINT,
    PRIMARY KEY (single),
    CONSTRAINT there_is_one CHECK (single = 1)
);

CREATE TABLE cursors (
    name VARCHAR NOT NULL,
    x_id BIGINT NOT NULL,
    read_at BIGINT NOT NULL,
    PRIMARY KEY (name)
);

CREATE TABLE house_accounts (
    code VARCHAR NOT NULL,
    currency VARCHAR NOT NULL,
    account_id BIGINT NOT NULL,
    PRIMARY KEY (code, currency)
);

CREATE TABLE people (
    user_id BIGINT NOT NULL,
    username_sealed BYTEA,
    name_sealed BYTEA,
    username_index BYTEA,
    labelled_by BIGINT NOT NULL,
    standing VARCHAR NOT NULL,
    wallet_id BIGINT,
    chosen_language VARCHAR,
    spoken_language VARCHAR NOT NULL,
    welcomed_at BIGINT,
    enrolled_at BIGINT,
    stopped_at BIGINT,
    wrong_answers INTEGER NOT NULL,
    locks INTEGER NOT NULL,
    locked_until BIGINT,
    letters_used INTEGER NOT NULL,
    PRIMARY KEY (user_id),
    CONSTRAINT standing_is_known CHECK (standing IN ('stranger', 'enrolled', 'stopped')),
    CONSTRAINT counters_are_not_negative CHECK (wrong_answers >= 0 AND locks >= 0),
    UNIQUE (wallet_id)
);

CREATE INDEX ix_people_username_index ON people (username_index);

CREATE TABLE authorisations (
    id BIGINT NOT NULL,
    kind VARCHAR NOT NULL,
    evidence BIGINT NOT NULL,
    person_id BIGINT NOT NULL,
    intent_id BIGINT,
    version BIGINT,
    created_at BIGINT NOT NULL,
    key_id VARCHAR NOT NULL,
    mac BYTEA NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT kind_is_known CHECK (kind IN ('answer', 'return')),
    CONSTRAINT one_authorisation_for_a_cause UNIQUE (kind, evidence),
    FOREIGN KEY(person_id) REFERENCES people (user_id)
);

CREATE TABLE inbox (
    id BIGINT NOT NULL,
    kind VARCHAR NOT NULL,
    x_id BIGINT NOT NULL,
    chain_id BIGINT NOT NULL,
    person_id BIGINT NOT NULL,
    urgent BOOLEAN NOT NULL,
    payload_sealed BYTEA,
    said_at BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    state VARCHAR NOT NULL,
    finished_at BIGINT,
    reason VARCHAR,
    PRIMARY KEY (id),
    CONSTRAINT stored_once UNIQUE (kind, x_id),
    CONSTRAINT kind_is_known CHECK (kind IN ('post', 'message', 'lookup')),
    CONSTRAINT state_is_known CHECK (state IN ('waiting', 'done', 'set_aside')),
    FOREIGN KEY(person_id) REFERENCES people (user_id)
);

CREATE INDEX ix_inbox_chain ON inbox (chain_id);

CREATE INDEX ix_inbox_waiting ON inbox (urgent, said_at) WHERE state = 'waiting';

CREATE TABLE intents (
    id BIGINT NOT NULL,
    order_kind VARCHAR NOT NULL,
    order_id BIGINT NOT NULL,
    reference VARCHAR NOT NULL,
    payer_id BIGINT NOT NULL,
    version BIGINT NOT NULL,
    post_id BIGINT,
    total_minor BIGINT NOT NULL,
    fee_minor BIGINT NOT NULL,
    currency VARCHAR NOT NULL,
    note_sealed BYTEA,
    state VARCHAR NOT NULL,
    created_at BIGINT NOT NULL,
    asked_at BIGINT,
    closed_at BIGINT,
    journal_id BIGINT,
    authorisation_id BIGINT,
    PRIMARY KEY (id),
    CONSTRAINT one_intent_for_an_order UNIQUE (order_kind, order_id),
    CONSTRAINT reference_is_unique UNIQUE (reference),
    CONSTRAINT order_kind_is_known CHECK (order_kind IN ('post', 'message')),
    CONSTRAINT state_is_known CHECK (state IN ('parked', 'asking', 'paid', 'cancelled', 'expired', 'lapsed', 'refused', 'withdrawn')),
    CONSTRAINT paid_has_a_journal CHECK ((state = 'paid') = (journal_id IS NOT NULL)),
    FOREIGN KEY(payer_id) REFERENCES people (user_id),
    FOREIGN KEY(authorisation_id) REFERENCES authorisations (id)
);

CREATE INDEX ix_intents_open ON intents (payer_id) WHERE state IN ('parked', 'asking');

CREATE INDEX ix_intents_payer ON intents (payer_id, id);

CREATE TABLE challenges (
    id BIGINT NOT NULL,
    intent_id BIGINT NOT NULL,
    version BIGINT NOT NULL,
    payer_id BIGINT NOT NULL,
    letter VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    created_at BIGINT NOT NULL,
    nonce BYTEA,
    key_id VARCHAR,
    issued_at BIGINT,
    expires_at BIGINT,
    PRIMARY KEY (id),
    CONSTRAINT one_challenge_for_a_version UNIQUE (intent_id, version),
    CONSTRAINT state_is_known CHECK (state IN ('queued', 'open', 'answered', 'superseded', 'closed')),
    CONSTRAINT an_open_one_was_issued CHECK (state = 'queued' OR state = 'closed' OR state = 'superseded' OR nonce IS NOT NULL),
    FOREIGN KEY(intent_id) REFERENCES intents (id),
    FOREIGN KEY(payer_id) REFERENCES people (user_id)
);

CREATE INDEX ix_challenges_open ON challenges (payer_id) WHERE state IN ('queued', 'open');

CREATE INDEX ix_challenges_payer ON challenges (payer_id, state);

CREATE UNIQUE INDEX uq_challenges_letter ON challenges (payer_id, letter) WHERE state IN ('queued', 'open');

CREATE TABLE intent_lines (
    id BIGINT NOT NULL,
    intent_id BIGINT NOT NULL,
    version BIGINT NOT NULL,
    position INTEGER NOT NULL,
    payee_id BIGINT NOT NULL,
    username_sealed BYTEA,
    amount_minor BIGINT NOT NULL,
    state VARCHAR NOT NULL,
    transfer_id BIGINT,
    settled_id BIGINT,
    due_at BIGINT,
    PRIMARY KEY (id),
    CONSTRAINT ordered_lines UNIQUE (intent_id, version, position),
    CONSTRAINT a_payee_once UNIQUE (intent_id, version, payee_id),
    CONSTRAINT one_line_for_a_transfer UNIQUE (transfer_id),
    CONSTRAINT amount_is_positive CHECK (amount_minor > 0),
    CONSTRAINT state_is_known CHECK (state IN ('asked', 'paid', 'held', 'cancelled', 'declined', 'expired', 'returned')),
    CONSTRAINT moved_money_has_a_transfer CHECK ((state = 'asked') = (transfer_id IS NULL)),
    CONSTRAINT held_has_an_end CHECK (state <> 'held' OR due_at IS NOT NULL),
    FOREIGN KEY(intent_id) REFERENCES intents (id),
    FOREIGN KEY(payee_id) REFERENCES people (user_id)
);

CREATE INDEX ix_intent_lines_held ON intent_lines (payee_id) WHERE state = 'held';

CREATE INDEX ix_intent_lines_payee ON intent_lines (payee_id, id);

CREATE TABLE outbox (
    id BIGINT NOT NULL,
    kind VARCHAR NOT NULL,
    person_id BIGINT NOT NULL,
    reply_to BIGINT,
    reply_to_version BIGINT,
    inbox_id BIGINT,
    challenge_id BIGINT,
    phrase VARCHAR NOT NULL,
    language VARCHAR NOT NULL,
    parameters_sealed BYTEA,
    priority INTEGER NOT NULL,
    state VARCHAR NOT NULL,
    attempts INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    attempted_at BIGINT,
    first_attempted_at BIGINT,
    finished_at BIGINT,
    sent_id BIGINT,
    reason VARCHAR,
    PRIMARY KEY (id),
    CONSTRAINT one_reply_for_a_post UNIQUE (reply_to),
    CONSTRAINT one_message_for_a_challenge UNIQUE (challenge_id),
    CONSTRAINT kind_is_known CHECK (kind IN ('message', 'reply', 'lookup')),
    CONSTRAINT state_is_known CHECK (state IN ('waiting', 'sending', 'unknown', 'sent', 'failed', 'dropped')),
    FOREIGN KEY(person_id) REFERENCES people (user_id),
    FOREIGN KEY(challenge_id) REFERENCES challenges (id)
);

CREATE INDEX ix_outbox_attempted ON outbox (kind, attempted_at);

CREATE INDEX ix_outbox_due ON outbox (priority, due_at, id) WHERE state IN ('waiting', 'sending', 'unknown');

CREATE INDEX ix_outbox_person ON outbox (person_id, phrase, created_at);

-- What was decided stays decided, whoever writes.

CREATE FUNCTION bot_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER authorisations_are_not_changed BEFORE UPDATE OR DELETE ON authorisations
FOR EACH ROW EXECUTE FUNCTION bot_refuse('an authorisation is never changed');

CREATE TRIGGER authorisations_are_not_truncated BEFORE TRUNCATE ON authorisations
FOR EACH STATEMENT EXECUTE FUNCTION bot_refuse('an authorisation is never deleted');

CREATE TRIGGER what_was_paid_stays BEFORE UPDATE ON intents FOR EACH ROW
WHEN (OLD.state = 'paid' AND (
    NEW.state <> 'paid' OR NEW.journal_id IS DISTINCT FROM OLD.journal_id
    OR NEW.authorisation_id IS DISTINCT FROM OLD.authorisation_id
    OR NEW.version <> OLD.version OR NEW.payer_id <> OLD.payer_id OR NEW.total_minor <> OLD.total_minor
    OR NEW.currency <> OLD.currency
))
EXECUTE FUNCTION bot_refuse('a paid intent is never changed');

CREATE TRIGGER intents_are_not_deleted BEFORE DELETE ON intents
FOR EACH ROW EXECUTE FUNCTION bot_refuse('an intent is never deleted');

CREATE TRIGGER intents_are_not_truncated BEFORE TRUNCATE ON intents
FOR EACH STATEMENT EXECUTE FUNCTION bot_refuse('an intent is never deleted');

CREATE TRIGGER lines_keep_their_money BEFORE UPDATE ON intent_lines FOR EACH ROW
WHEN (
    NEW.intent_id <> OLD.intent_id OR NEW.version <> OLD.version OR NEW.payee_id <> OLD.payee_id
    OR NEW.amount_minor <> OLD.amount_minor
    OR (OLD.transfer_id IS NOT NULL AND NEW.transfer_id IS DISTINCT FROM OLD.transfer_id)
)
EXECUTE FUNCTION bot_refuse('who gets what is never changed');

CREATE TRIGGER lines_are_not_deleted BEFORE DELETE ON intent_lines
FOR EACH ROW EXECUTE FUNCTION bot_refuse('a line is never deleted');

CREATE TRIGGER lines_are_not_truncated BEFORE TRUNCATE ON intent_lines
FOR EACH STATEMENT EXECUTE FUNCTION bot_refuse('a line is never deleted');
