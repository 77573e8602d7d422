-- What an operator runs the bot with: switches, admins and their sessions, money that two people move, alarms.

CREATE TABLE switches (
    name VARCHAR NOT NULL,
    since BIGINT NOT NULL,
    set_by VARCHAR NOT NULL,
    PRIMARY KEY (name),
    CONSTRAINT name_is_known CHECK (name IN ('payments_paused', 'sends_paused', 'winding_down'))
);

CREATE TABLE admins (
    id BIGINT NOT NULL,
    name VARCHAR NOT NULL,
    role VARCHAR NOT NULL,
    login VARCHAR,
    password_hash VARCHAR,
    secret_sealed BYTEA,
    used_step BIGINT,
    invite_hash BYTEA,
    invite_expires_at BIGINT,
    wrong_tries INTEGER NOT NULL,
    locks INTEGER NOT NULL,
    locked_until BIGINT,
    added_at BIGINT NOT NULL,
    ended_at BIGINT,
    PRIMARY KEY (id),
    CONSTRAINT a_name_once UNIQUE (name),
    CONSTRAINT name_fits CHECK (length(name) BETWEEN 1 AND 40),
    CONSTRAINT role_is_known CHECK (role IN ('read', 'support', 'treasurer', 'owner')),
    CONSTRAINT tries_are_not_negative CHECK (wrong_tries >= 0 AND locks >= 0),
    CONSTRAINT an_invite_ends CHECK ((invite_hash IS NULL) = (invite_expires_at IS NULL))
);

CREATE UNIQUE INDEX uq_admins_login ON admins (login) WHERE ended_at IS NULL AND login IS NOT NULL;

CREATE TABLE admin_sessions (
    id BIGINT NOT NULL,
    admin_id BIGINT NOT NULL,
    secret_hash BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    ended_at BIGINT,
    PRIMARY KEY (id),
    FOREIGN KEY(admin_id) REFERENCES admins (id)
);

CREATE UNIQUE INDEX ix_admin_sessions_secret ON admin_sessions (secret_hash);

CREATE INDEX ix_admin_sessions_admin ON admin_sessions (admin_id);

CREATE TABLE proposals (
    id BIGINT NOT NULL,
    kind VARCHAR NOT NULL,
    person_id BIGINT,
    line_id BIGINT,
    amount_minor BIGINT NOT NULL,
    currency VARCHAR NOT NULL,
    from_loss BOOLEAN NOT NULL,
    why_sealed BYTEA,
    reference_sealed BYTEA,
    reference_index BYTEA,
    needs_second BOOLEAN NOT NULL,
    proposed_by VARCHAR NOT NULL,
    proposed_at BIGINT NOT NULL,
    state VARCHAR NOT NULL,
    decided_by VARCHAR,
    decided_at BIGINT,
    transfer_id BIGINT,
    PRIMARY KEY (id),
    CONSTRAINT kind_is_known CHECK (kind IN ('fund', 'payout', 'refund', 'operator_fund')),
    CONSTRAINT state_is_known CHECK (state IN ('open', 'done', 'refused', 'expired')),
    CONSTRAINT amount_is_positive CHECK (amount_minor > 0),
    CONSTRAINT somebodys_money CHECK ((kind = 'operator_fund') = (person_id IS NULL)),
    CONSTRAINT a_refund_of_something CHECK ((kind = 'refund') = (line_id IS NOT NULL)),
    CONSTRAINT decided_has_a_time CHECK ((state = 'open') = (decided_at IS NULL)),
    CONSTRAINT done_moved_money CHECK ((state = 'done') = (transfer_id IS NOT NULL)),
    CONSTRAINT two_people CHECK (state <> 'done' OR NOT needs_second OR decided_by <> proposed_by),
    FOREIGN KEY(person_id) REFERENCES people (user_id),
    FOREIGN KEY(line_id) REFERENCES intent_lines (id)
);

CREATE UNIQUE INDEX uq_proposals_reference ON proposals (kind, reference_index)
    WHERE state IN ('open', 'done') AND reference_index IS NOT NULL;

CREATE UNIQUE INDEX uq_proposals_line ON proposals (line_id) WHERE state IN ('open', 'done') AND line_id IS NOT NULL;

CREATE INDEX ix_proposals_open ON proposals (proposed_at) WHERE state = 'open';

CREATE INDEX ix_proposals_person ON proposals (person_id, id);

CREATE TABLE alarms (
    id BIGINT NOT NULL,
    name VARCHAR NOT NULL,
    raised_at BIGINT NOT NULL,
    cleared_at BIGINT,
    facts VARCHAR NOT NULL,
    PRIMARY KEY (id)
);

CREATE UNIQUE INDEX uq_alarms_open ON alarms (name) WHERE cleared_at IS NULL;

CREATE INDEX ix_alarms_raised ON alarms (raised_at);

-- Whose money it was may become a stand-in (erased people); nothing else of a decided proposal ever changes.
CREATE TRIGGER what_was_moved_stays BEFORE UPDATE ON proposals
FOR EACH ROW WHEN (
    OLD.kind <> NEW.kind OR OLD.amount_minor <> NEW.amount_minor OR OLD.currency <> NEW.currency
    OR OLD.line_id IS DISTINCT FROM NEW.line_id OR OLD.from_loss <> NEW.from_loss
    OR OLD.needs_second <> NEW.needs_second OR OLD.proposed_by <> NEW.proposed_by OR OLD.proposed_at <> NEW.proposed_at
    OR (NEW.person_id IS DISTINCT FROM OLD.person_id AND NEW.person_id >= 0)
    OR (OLD.state <> 'open' AND (NEW.state <> OLD.state OR NEW.decided_by IS DISTINCT FROM OLD.decided_by
        OR NEW.decided_at IS DISTINCT FROM OLD.decided_at OR NEW.transfer_id IS DISTINCT FROM OLD.transfer_id))
)
EXECUTE FUNCTION bot_refuse('a proposal is decided once, as it was made');

CREATE TRIGGER proposals_are_not_deleted BEFORE DELETE ON proposals
FOR EACH ROW EXECUTE FUNCTION bot_refuse('a proposal is never deleted');

CREATE TRIGGER proposals_are_not_truncated BEFORE TRUNCATE ON proposals
FOR EACH STATEMENT EXECUTE FUNCTION bot_refuse('a proposal is never deleted');
