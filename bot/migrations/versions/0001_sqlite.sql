CREATE TABLE book (
    single INTEGER NOT NULL,
    is_demo INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    bot_user_id INTEGER,
    PRIMARY KEY (single),
    CONSTRAINT there_is_one CHECK (single = 1)
) STRICT;

CREATE TABLE cursors (
    name TEXT NOT NULL,
    x_id INTEGER NOT NULL,
    read_at INTEGER NOT NULL,
    PRIMARY KEY (name)
) STRICT;

CREATE TABLE house_accounts (
    code TEXT NOT NULL,
    currency TEXT NOT NULL,
    account_id INTEGER NOT NULL,
    PRIMARY KEY (code, currency)
) STRICT;

CREATE TABLE people (
    user_id INTEGER NOT NULL,
    username_sealed BLOB,
    name_sealed BLOB,
    username_index BLOB,
    labelled_by INTEGER NOT NULL,
    standing TEXT NOT NULL,
    wallet_id INTEGER,
    chosen_language TEXT,
    spoken_language TEXT NOT NULL,
    welcomed_at INTEGER,
    enrolled_at INTEGER,
    stopped_at INTEGER,
    wrong_answers INTEGER NOT NULL,
    locks INTEGER NOT NULL,
    locked_until INTEGER,
    letters_used INTEGER NOT NULL,
    PRIMARY KEY (user_id),
    CONSTRAINT standing_is_known CHECK (standing IN ('stranger', 'enrolled', 'stopped')),
    CONSTRAINT counters_are_not_negative CHECK (wrong_answers >= 0 AND locks >= 0),
    UNIQUE (wallet_id)
) STRICT;

CREATE INDEX ix_people_username_index ON people (username_index);

CREATE TABLE authorisations (
    id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    evidence INTEGER NOT NULL,
    person_id INTEGER NOT NULL,
    intent_id INTEGER,
    version INTEGER,
    created_at INTEGER NOT NULL,
    key_id TEXT NOT NULL,
    mac BLOB NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT kind_is_known CHECK (kind IN ('answer', 'return')),
    CONSTRAINT one_authorisation_for_a_cause UNIQUE (kind, evidence),
    FOREIGN KEY(person_id) REFERENCES people (user_id)
) STRICT;

CREATE TABLE inbox (
    id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    x_id INTEGER NOT NULL,
    chain_id INTEGER NOT NULL,
    person_id INTEGER NOT NULL,
    urgent INTEGER NOT NULL,
    payload_sealed BLOB,
    said_at INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    finished_at INTEGER,
    reason TEXT,
    PRIMARY KEY (id),
    CONSTRAINT stored_once UNIQUE (kind, x_id),
    CONSTRAINT kind_is_known CHECK (kind IN ('post', 'message', 'lookup')),
    CONSTRAINT state_is_known CHECK (state IN ('waiting', 'done', 'set_aside')),
    FOREIGN KEY(person_id) REFERENCES people (user_id)
) STRICT;

CREATE INDEX ix_inbox_chain ON inbox (chain_id);

CREATE INDEX ix_inbox_waiting ON inbox (urgent, said_at) WHERE state = 'waiting';

CREATE TABLE intents (
    id INTEGER NOT NULL,
    order_kind TEXT NOT NULL,
    order_id INTEGER NOT NULL,
    reference TEXT NOT NULL,
    payer_id INTEGER NOT NULL,
    version INTEGER NOT NULL,
    post_id INTEGER,
    total_minor INTEGER NOT NULL,
    fee_minor INTEGER NOT NULL,
    currency TEXT NOT NULL,
    note_sealed BLOB,
    state TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    asked_at INTEGER,
    closed_at INTEGER,
    journal_id INTEGER,
    authorisation_id INTEGER,
    PRIMARY KEY (id),
    CONSTRAINT one_intent_for_an_order UNIQUE (order_kind, order_id),
    CONSTRAINT reference_is_unique UNIQUE (reference),
    CONSTRAINT order_kind_is_known CHECK (order_kind IN ('post', 'message')),
    CONSTRAINT state_is_known CHECK (state IN ('parked', 'asking', 'paid', 'cancelled', 'expired', 'lapsed', 'refused', 'withdrawn')),
    CONSTRAINT paid_has_a_journal CHECK ((state = 'paid') = (journal_id IS NOT NULL)),
    FOREIGN KEY(payer_id) REFERENCES people (user_id),
    FOREIGN KEY(authorisation_id) REFERENCES authorisations (id)
) STRICT;

CREATE INDEX ix_intents_open ON intents (payer_id) WHERE state IN ('parked', 'asking');

CREATE INDEX ix_intents_payer ON intents (payer_id, id);

CREATE TABLE challenges (
    id INTEGER NOT NULL,
    intent_id INTEGER NOT NULL,
    version INTEGER NOT NULL,
    payer_id INTEGER NOT NULL,
    letter TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    nonce BLOB,
    key_id TEXT,
    issued_at INTEGER,
    expires_at INTEGER,
    PRIMARY KEY (id),
    CONSTRAINT one_challenge_for_a_version UNIQUE (intent_id, version),
    CONSTRAINT state_is_known CHECK (state IN ('queued', 'open', 'answered', 'superseded', 'closed')),
    CONSTRAINT an_open_one_was_issued CHECK (state = 'queued' OR state = 'closed' OR state = 'superseded' OR nonce IS NOT NULL),
    FOREIGN KEY(intent_id) REFERENCES intents (id),
    FOREIGN KEY(payer_id) REFERENCES people (user_id)
) STRICT;

CREATE INDEX ix_challenges_open ON challenges (payer_id) WHERE state IN ('queued', 'open');

CREATE INDEX ix_challenges_payer ON challenges (payer_id, state);

CREATE UNIQUE INDEX uq_challenges_letter ON challenges (payer_id, letter) WHERE state IN ('queued', 'open');

CREATE TABLE intent_lines (
    id INTEGER NOT NULL,
    intent_id INTEGER NOT NULL,
    version INTEGER NOT NULL,
    position INTEGER NOT NULL,
    payee_id INTEGER NOT NULL,
    username_sealed BLOB,
    amount_minor INTEGER NOT NULL,
    state TEXT NOT NULL,
    transfer_id INTEGER,
    settled_id INTEGER,
    due_at INTEGER,
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
) STRICT;

CREATE INDEX ix_intent_lines_held ON intent_lines (payee_id) WHERE state = 'held';

CREATE INDEX ix_intent_lines_payee ON intent_lines (payee_id, id);

CREATE TABLE outbox (
    id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    person_id INTEGER NOT NULL,
    reply_to INTEGER,
    reply_to_version INTEGER,
    inbox_id INTEGER,
    challenge_id INTEGER,
    phrase TEXT NOT NULL,
    language TEXT NOT NULL,
    parameters_sealed BLOB,
    priority INTEGER NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    attempted_at INTEGER,
    first_attempted_at INTEGER,
    finished_at INTEGER,
    sent_id INTEGER,
    reason TEXT,
    PRIMARY KEY (id),
    CONSTRAINT one_reply_for_a_post UNIQUE (reply_to),
    CONSTRAINT one_message_for_a_challenge UNIQUE (challenge_id),
    CONSTRAINT kind_is_known CHECK (kind IN ('message', 'reply', 'lookup')),
    CONSTRAINT state_is_known CHECK (state IN ('waiting', 'sending', 'unknown', 'sent', 'failed', 'dropped')),
    FOREIGN KEY(person_id) REFERENCES people (user_id),
    FOREIGN KEY(challenge_id) REFERENCES challenges (id)
) STRICT;

CREATE INDEX ix_outbox_attempted ON outbox (kind, attempted_at);

CREATE INDEX ix_outbox_due ON outbox (priority, due_at, id) WHERE state IN ('waiting', 'sending', 'unknown');

CREATE INDEX ix_outbox_person ON outbox (person_id, phrase, created_at);

-- What was decided stays decided, whoever writes.

CREATE TRIGGER authorisations_are_not_changed BEFORE UPDATE ON authorisations
BEGIN SELECT RAISE(ABORT, 'an authorisation is never changed'); END;

CREATE TRIGGER authorisations_are_not_deleted BEFORE DELETE ON authorisations
BEGIN SELECT RAISE(ABORT, 'an authorisation is never deleted'); END;

CREATE TRIGGER what_was_paid_stays BEFORE UPDATE ON intents
WHEN OLD.state = 'paid' AND (
    NEW.state <> 'paid' OR NEW.journal_id IS NOT OLD.journal_id OR NEW.authorisation_id IS NOT OLD.authorisation_id
    OR NEW.version <> OLD.version OR NEW.payer_id <> OLD.payer_id OR NEW.total_minor <> OLD.total_minor
    OR NEW.currency <> OLD.currency
)
BEGIN SELECT RAISE(ABORT, 'a paid intent is never changed'); END;

CREATE TRIGGER intents_are_not_deleted BEFORE DELETE ON intents
BEGIN SELECT RAISE(ABORT, 'an intent is never deleted'); END;

CREATE TRIGGER lines_keep_their_money BEFORE UPDATE ON intent_lines
WHEN NEW.intent_id <> OLD.intent_id OR NEW.version <> OLD.version OR NEW.payee_id <> OLD.payee_id
    OR NEW.amount_minor <> OLD.amount_minor
    OR (OLD.transfer_id IS NOT NULL AND NEW.transfer_id IS NOT OLD.transfer_id)
BEGIN SELECT RAISE(ABORT, 'who gets what is never changed'); END;

CREATE TRIGGER lines_are_not_deleted BEFORE DELETE ON intent_lines
BEGIN SELECT RAISE(ABORT, 'a line is never deleted'); END;
