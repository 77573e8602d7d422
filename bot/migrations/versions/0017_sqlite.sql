-- What an operator runs the bot with: switches, admins and their sessions, money that two people move, alarms.

CREATE TABLE switches (
    name TEXT NOT NULL,
    since INTEGER NOT NULL,
    set_by TEXT NOT NULL,
    PRIMARY KEY (name),
    CONSTRAINT name_is_known CHECK (name IN ('payments_paused', 'sends_paused', 'winding_down'))
) STRICT;

CREATE TABLE admins (
    id INTEGER NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    login TEXT,
    password_hash TEXT,
    secret_sealed BLOB,
    used_step INTEGER,
    invite_hash BLOB,
    invite_expires_at INTEGER,
    wrong_tries INTEGER NOT NULL,
    locks INTEGER NOT NULL,
    locked_until INTEGER,
    added_at INTEGER NOT NULL,
    ended_at INTEGER,
    PRIMARY KEY (id),
    CONSTRAINT a_name_once UNIQUE (name),
    CONSTRAINT name_fits CHECK (length(name) BETWEEN 1 AND 40),
    CONSTRAINT role_is_known CHECK (role IN ('read', 'support', 'treasurer', 'owner')),
    CONSTRAINT tries_are_not_negative CHECK (wrong_tries >= 0 AND locks >= 0),
    CONSTRAINT an_invite_ends CHECK ((invite_hash IS NULL) = (invite_expires_at IS NULL))
) STRICT;

CREATE UNIQUE INDEX uq_admins_login ON admins (login) WHERE ended_at IS NULL AND login IS NOT NULL;

CREATE TABLE admin_sessions (
    id INTEGER NOT NULL,
    admin_id INTEGER NOT NULL,
    secret_hash BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    ended_at INTEGER,
    PRIMARY KEY (id),
    FOREIGN KEY(admin_id) REFERENCES admins (id)
) STRICT;

CREATE UNIQUE INDEX ix_admin_sessions_secret ON admin_sessions (secret_hash);

CREATE INDEX ix_admin_sessions_admin ON admin_sessions (admin_id);

CREATE TABLE proposals (
    id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    person_id INTEGER,
    line_id INTEGER,
    amount_minor INTEGER NOT NULL,
    currency TEXT NOT NULL,
    from_loss INTEGER NOT NULL,
    why_sealed BLOB,
    reference_sealed BLOB,
    reference_index BLOB,
    needs_second INTEGER NOT NULL,
    proposed_by TEXT NOT NULL,
    proposed_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    decided_by TEXT,
    decided_at INTEGER,
    transfer_id INTEGER,
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
) STRICT;

CREATE UNIQUE INDEX uq_proposals_reference ON proposals (kind, reference_index)
    WHERE state IN ('open', 'done') AND reference_index IS NOT NULL;

CREATE UNIQUE INDEX uq_proposals_line ON proposals (line_id) WHERE state IN ('open', 'done') AND line_id IS NOT NULL;

CREATE INDEX ix_proposals_open ON proposals (proposed_at) WHERE state = 'open';

CREATE INDEX ix_proposals_person ON proposals (person_id, id);

CREATE TABLE alarms (
    id INTEGER NOT NULL,
    name TEXT NOT NULL,
    raised_at INTEGER NOT NULL,
    cleared_at INTEGER,
    facts TEXT NOT NULL,
    PRIMARY KEY (id)
) STRICT;

CREATE UNIQUE INDEX uq_alarms_open ON alarms (name) WHERE cleared_at IS NULL;

CREATE INDEX ix_alarms_raised ON alarms (raised_at);

-- Whose money it was may become a stand-in (erased people); nothing else of a decided proposal ever changes.
CREATE TRIGGER what_was_moved_stays BEFORE UPDATE ON proposals
WHEN OLD.kind <> NEW.kind OR OLD.amount_minor <> NEW.amount_minor OR OLD.currency <> NEW.currency
    OR OLD.line_id IS NOT NEW.line_id OR OLD.from_loss <> NEW.from_loss OR OLD.needs_second <> NEW.needs_second
    OR OLD.proposed_by <> NEW.proposed_by OR OLD.proposed_at <> NEW.proposed_at
    OR (NEW.person_id IS NOT OLD.person_id AND NEW.person_id >= 0)
    OR (OLD.state <> 'open' AND (NEW.state <> OLD.state OR NEW.decided_by IS NOT OLD.decided_by
        OR NEW.decided_at IS NOT OLD.decided_at OR NEW.transfer_id IS NOT OLD.transfer_id))
BEGIN SELECT RAISE(ABORT, 'a proposal is decided once, as it was made'); END;

CREATE TRIGGER proposals_are_added_once BEFORE INSERT ON proposals
WHEN EXISTS (SELECT 1 FROM proposals WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'a proposal is decided once, as it was made'); END;

CREATE TRIGGER proposals_are_not_deleted BEFORE DELETE ON proposals
BEGIN SELECT RAISE(ABORT, 'a proposal is never deleted'); END;
