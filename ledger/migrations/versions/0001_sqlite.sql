-- The ledger's first form on SQLite. Every rule holds against hand-written SQL too, whatever the connection's settings
-- (foreign keys off) and whatever conflict clause a statement carries: the rules are stated in BEFORE triggers by
-- RAISE(ABORT), which no `OR IGNORE`, `OR FAIL` or `OR REPLACE` can soften; the CHECKs below say them once more.

CREATE TABLE ledger_account (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id > 0),
    code TEXT NOT NULL CHECK (length(code) BETWEEN 1 AND 64),
    currency TEXT NOT NULL CHECK (length(currency) BETWEEN 2 AND 12),
    exponent INTEGER NOT NULL CHECK (exponent BETWEEN 0 AND 8),
    normal_side TEXT NOT NULL CHECK (normal_side IN ('debit', 'credit')),
    guarded INTEGER NOT NULL CHECK (guarded IN (0, 1)),
    upper_bound_minor INTEGER CHECK (upper_bound_minor BETWEEN 0 AND 1000000000000000),
    debits_need_authorisation INTEGER NOT NULL CHECK (debits_need_authorisation IN (0, 1)),
    state TEXT NOT NULL CHECK (state IN ('open', 'debits_frozen', 'frozen', 'closed')),
    version INTEGER NOT NULL CHECK (version >= 0),
    debits_posted INTEGER NOT NULL CHECK (debits_posted BETWEEN 0 AND 4000000000000000000),
    credits_posted INTEGER NOT NULL CHECK (credits_posted BETWEEN 0 AND 4000000000000000000),
    debits_pending INTEGER NOT NULL CHECK (debits_pending BETWEEN 0 AND 4000000000000000000),
    credits_pending INTEGER NOT NULL CHECK (credits_pending BETWEEN 0 AND 4000000000000000000),
    opened_at INTEGER NOT NULL,
    booked_at INTEGER NOT NULL,
    CONSTRAINT not_overdrawn CHECK (
        guarded = 0
        OR (normal_side = 'credit' AND credits_posted - debits_posted - debits_pending >= 0)
        OR (normal_side = 'debit' AND debits_posted - credits_posted - credits_pending >= 0)
    ),
    CONSTRAINT within_upper_bound CHECK (
        upper_bound_minor IS NULL
        OR (normal_side = 'credit' AND credits_posted + credits_pending - debits_posted <= upper_bound_minor)
        OR (normal_side = 'debit' AND debits_posted + debits_pending - credits_posted <= upper_bound_minor)
    )
) STRICT;

CREATE TABLE ledger_transfer (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id > 0),
    journal_id INTEGER NOT NULL CHECK (journal_id BETWEEN 1 AND id),
    kind TEXT NOT NULL CHECK (kind IN ('posted', 'pending', 'post', 'void', 'expire')),
    debit_account_id INTEGER NOT NULL REFERENCES ledger_account (id),
    credit_account_id INTEGER NOT NULL REFERENCES ledger_account (id),
    amount_minor INTEGER NOT NULL CHECK (amount_minor BETWEEN 1 AND 1000000000000000),
    currency TEXT NOT NULL,
    exponent INTEGER NOT NULL,
    code TEXT NOT NULL CHECK (length(code) BETWEEN 1 AND 64),
    pending_id INTEGER REFERENCES ledger_transfer (id),
    reverses_id INTEGER REFERENCES ledger_transfer (id),
    authorisation_id INTEGER,
    idempotency_key TEXT NOT NULL CHECK (length(idempotency_key) BETWEEN 1 AND 128),
    booked_at INTEGER NOT NULL,
    due_at INTEGER,
    effective_on TEXT CHECK (effective_on IS NULL OR effective_on GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    details TEXT CHECK (details IS NULL OR (length(details) <= 2048 AND json_valid(details))),
    debit_version INTEGER NOT NULL,
    debit_debits_posted INTEGER NOT NULL,
    debit_credits_posted INTEGER NOT NULL,
    debit_debits_pending INTEGER NOT NULL,
    debit_credits_pending INTEGER NOT NULL,
    credit_version INTEGER NOT NULL,
    credit_debits_posted INTEGER NOT NULL,
    credit_credits_posted INTEGER NOT NULL,
    credit_debits_pending INTEGER NOT NULL,
    credit_credits_pending INTEGER NOT NULL,
    CONSTRAINT two_accounts CHECK (debit_account_id <> credit_account_id),
    CONSTRAINT pending_has_its_time CHECK ((kind = 'pending') = (due_at IS NOT NULL)),
    CONSTRAINT resolution_names_pending CHECK ((kind IN ('post', 'void', 'expire')) = (pending_id IS NOT NULL)),
    CONSTRAINT reversal_is_posted CHECK (reverses_id IS NULL OR kind = 'posted')
) STRICT;

CREATE UNIQUE INDEX ledger_transfer_key ON ledger_transfer (idempotency_key);
CREATE UNIQUE INDEX ledger_transfer_debit ON ledger_transfer (debit_account_id, debit_version);
CREATE UNIQUE INDEX ledger_transfer_credit ON ledger_transfer (credit_account_id, credit_version);
CREATE UNIQUE INDEX ledger_transfer_pending ON ledger_transfer (pending_id) WHERE pending_id IS NOT NULL;
CREATE UNIQUE INDEX ledger_transfer_reverses ON ledger_transfer (reverses_id) WHERE reverses_id IS NOT NULL;
CREATE INDEX ledger_transfer_journal ON ledger_transfer (journal_id) WHERE journal_id <> id;

-- An account begins empty. A second one under the same id is refused here, so that REPLACE cannot wipe the first.
CREATE TRIGGER ledger_account_begins_empty BEFORE INSERT ON ledger_account
BEGIN
    SELECT CASE
        WHEN EXISTS (SELECT 1 FROM ledger_account WHERE id = NEW.id) THEN RAISE(ABORT, 'ledger: account_exists')
        WHEN NEW.version IS NOT 0 OR NEW.state IS NOT 'open'
            OR NEW.debits_posted IS NOT 0 OR NEW.credits_posted IS NOT 0
            OR NEW.debits_pending IS NOT 0 OR NEW.credits_pending IS NOT 0
            THEN RAISE(ABORT, 'ledger: account_begins_empty')
    END;
END;

-- An account's state may change by hand; its balances only to what its next transfer says they are after it.
CREATE TRIGGER ledger_account_moves_by_transfer BEFORE UPDATE ON ledger_account
BEGIN
    SELECT CASE
        WHEN NEW.id IS NOT OLD.id OR NEW.code IS NOT OLD.code OR NEW.currency IS NOT OLD.currency
            OR NEW.exponent IS NOT OLD.exponent OR NEW.normal_side IS NOT OLD.normal_side
            OR NEW.guarded IS NOT OLD.guarded OR NEW.upper_bound_minor IS NOT OLD.upper_bound_minor
            OR NEW.debits_need_authorisation IS NOT OLD.debits_need_authorisation
            OR NEW.opened_at IS NOT OLD.opened_at
            THEN RAISE(ABORT, 'ledger: account_is_fixed')
        WHEN NEW.version IS OLD.version AND NEW.booked_at IS OLD.booked_at
            AND NEW.debits_posted IS OLD.debits_posted AND NEW.credits_posted IS OLD.credits_posted
            AND NEW.debits_pending IS OLD.debits_pending AND NEW.credits_pending IS OLD.credits_pending
            THEN NULL
        WHEN NEW.version IS NOT OLD.version + 1 OR NEW.state IS NOT OLD.state
            THEN RAISE(ABORT, 'ledger: balance_without_transfer')
        WHEN EXISTS (
            SELECT 1 FROM ledger_transfer
            WHERE debit_account_id = NEW.id AND debit_version = NEW.version AND booked_at = NEW.booked_at
              AND debit_debits_posted = NEW.debits_posted AND debit_credits_posted = NEW.credits_posted
              AND debit_debits_pending = NEW.debits_pending AND debit_credits_pending = NEW.credits_pending
        ) THEN NULL
        WHEN EXISTS (
            SELECT 1 FROM ledger_transfer
            WHERE credit_account_id = NEW.id AND credit_version = NEW.version AND booked_at = NEW.booked_at
              AND credit_debits_posted = NEW.debits_posted AND credit_credits_posted = NEW.credits_posted
              AND credit_debits_pending = NEW.debits_pending AND credit_credits_pending = NEW.credits_pending
        ) THEN NULL
        ELSE RAISE(ABORT, 'ledger: balance_without_transfer')
    END;
END;

CREATE TRIGGER ledger_account_stays BEFORE DELETE ON ledger_account
BEGIN
    SELECT RAISE(ABORT, 'ledger: accounts_stay');
END;

-- A transfer is refused unless it is exactly what follows from both accounts as they stand.
CREATE TRIGGER ledger_transfer_rules BEFORE INSERT ON ledger_transfer
BEGIN
    SELECT CASE
        WHEN EXISTS (SELECT 1 FROM ledger_transfer WHERE id = NEW.id) OR NEW.id <= 0
            THEN RAISE(ABORT, 'ledger: id_exists')
        WHEN EXISTS (SELECT 1 FROM ledger_transfer WHERE idempotency_key = NEW.idempotency_key)
            THEN RAISE(ABORT, 'ledger: key_exists')
        WHEN d.id IS NULL OR c.id IS NULL OR d.id = c.id THEN RAISE(ABORT, 'ledger: unknown_account')
        WHEN NEW.amount_minor NOT BETWEEN 1 AND 1000000000000000 THEN RAISE(ABORT, 'ledger: amount_out_of_range')
        WHEN NEW.currency IS NOT d.currency OR NEW.currency IS NOT c.currency
            OR NEW.exponent IS NOT d.exponent OR NEW.exponent IS NOT c.exponent
            THEN RAISE(ABORT, 'ledger: currency_mismatch')
        WHEN NEW.booked_at IS NULL OR NEW.booked_at < d.booked_at OR NEW.booked_at < c.booked_at
            THEN RAISE(ABORT, 'ledger: booked_in_the_past')
        WHEN NEW.kind IN ('posted', 'pending') AND (d.state <> 'open' OR c.state NOT IN ('open', 'debits_frozen'))
            THEN RAISE(ABORT, 'ledger: account_not_open')
        WHEN NEW.kind = 'post' AND (d.state IN ('frozen', 'closed') OR c.state IN ('frozen', 'closed'))
            THEN RAISE(ABORT, 'ledger: account_not_open')
        WHEN d.debits_need_authorisation = 1 AND NEW.authorisation_id IS NULL
            AND NEW.kind IN ('posted', 'pending', 'post')
            THEN RAISE(ABORT, 'ledger: authorisation_missing')
        WHEN (NEW.kind IN ('post', 'void', 'expire')) IS NOT (NEW.pending_id IS NOT NULL)
            THEN RAISE(ABORT, 'ledger: resolution_names_pending')
        WHEN NEW.pending_id IS NOT NULL AND (
                p.kind IS NOT 'pending' OR p.debit_account_id IS NOT d.id OR p.credit_account_id IS NOT c.id
                OR NEW.amount_minor > p.amount_minor
                OR (NEW.kind <> 'post' AND NEW.amount_minor <> p.amount_minor)
                OR (NEW.kind = 'expire' AND NEW.booked_at < p.due_at))
            THEN RAISE(ABORT, 'ledger: not_what_was_pending')
        WHEN NEW.pending_id IS NOT NULL AND EXISTS (
                SELECT 1 FROM ledger_transfer WHERE pending_id = NEW.pending_id)
            THEN RAISE(ABORT, 'ledger: already_resolved')
        WHEN NEW.reverses_id IS NOT NULL AND (
                r.kind IS NULL OR r.kind NOT IN ('posted', 'post') OR r.reverses_id IS NOT NULL
                OR r.debit_account_id IS NOT c.id OR r.credit_account_id IS NOT d.id
                OR NEW.amount_minor > r.amount_minor)
            THEN RAISE(ABORT, 'ledger: not_what_was_posted')
        WHEN NEW.reverses_id IS NOT NULL AND EXISTS (
                SELECT 1 FROM ledger_transfer WHERE reverses_id = NEW.reverses_id)
            THEN RAISE(ABORT, 'ledger: already_reversed')
        WHEN NEW.debit_version IS NOT d.version + 1
            OR NEW.debit_debits_posted IS NOT d.debits_posted
                + iif(NEW.kind IN ('posted', 'post'), NEW.amount_minor, 0)
            OR NEW.debit_credits_posted IS NOT d.credits_posted
            OR NEW.debit_debits_pending IS NOT d.debits_pending
                + iif(NEW.kind = 'pending', NEW.amount_minor, -ifnull(p.amount_minor, 0))
            OR NEW.debit_credits_pending IS NOT d.credits_pending
            OR NEW.credit_version IS NOT c.version + 1
            OR NEW.credit_debits_posted IS NOT c.debits_posted
            OR NEW.credit_credits_posted IS NOT c.credits_posted
                + iif(NEW.kind IN ('posted', 'post'), NEW.amount_minor, 0)
            OR NEW.credit_debits_pending IS NOT c.debits_pending
            OR NEW.credit_credits_pending IS NOT c.credits_pending
                + iif(NEW.kind = 'pending', NEW.amount_minor, -ifnull(p.amount_minor, 0))
            THEN RAISE(ABORT, 'ledger: balance_does_not_follow')
        WHEN max(NEW.debit_debits_posted, NEW.debit_debits_pending,
                 NEW.credit_credits_posted, NEW.credit_credits_pending) > 4000000000000000000
            THEN RAISE(ABORT, 'ledger: total_out_of_range')
        WHEN d.guarded = 1 AND d.normal_side = 'credit'
            AND NEW.debit_credits_posted - NEW.debit_debits_posted - NEW.debit_debits_pending < 0
            THEN RAISE(ABORT, 'ledger: insufficient_funds')
        WHEN c.guarded = 1 AND c.normal_side = 'debit'
            AND NEW.credit_debits_posted - NEW.credit_credits_posted - NEW.credit_credits_pending < 0
            THEN RAISE(ABORT, 'ledger: insufficient_funds')
        WHEN c.normal_side = 'credit' AND NEW.credit_credits_posted + NEW.credit_credits_pending
            - NEW.credit_debits_posted > c.upper_bound_minor
            THEN RAISE(ABORT, 'ledger: upper_bound_exceeded')
        WHEN d.normal_side = 'debit' AND NEW.debit_debits_posted + NEW.debit_debits_pending
            - NEW.debit_credits_posted > d.upper_bound_minor
            THEN RAISE(ABORT, 'ledger: upper_bound_exceeded')
    END
    FROM (SELECT 1)
        LEFT JOIN ledger_account AS d ON d.id = NEW.debit_account_id
        LEFT JOIN ledger_account AS c ON c.id = NEW.credit_account_id
        LEFT JOIN ledger_transfer AS p ON p.id = NEW.pending_id
        LEFT JOIN ledger_transfer AS r ON r.id = NEW.reverses_id;
END;

CREATE TRIGGER ledger_transfer_moves AFTER INSERT ON ledger_transfer
BEGIN
    UPDATE ledger_account SET
        version = NEW.debit_version, booked_at = NEW.booked_at,
        debits_posted = NEW.debit_debits_posted, credits_posted = NEW.debit_credits_posted,
        debits_pending = NEW.debit_debits_pending, credits_pending = NEW.debit_credits_pending
    WHERE id = NEW.debit_account_id;
    UPDATE ledger_account SET
        version = NEW.credit_version, booked_at = NEW.booked_at,
        debits_posted = NEW.credit_debits_posted, credits_posted = NEW.credit_credits_posted,
        debits_pending = NEW.credit_debits_pending, credits_pending = NEW.credit_credits_pending
    WHERE id = NEW.credit_account_id;
END;

CREATE TRIGGER ledger_transfer_never_changes BEFORE UPDATE ON ledger_transfer
BEGIN
    SELECT RAISE(ABORT, 'ledger: transfers_never_change');
END;

CREATE TRIGGER ledger_transfer_stays BEFORE DELETE ON ledger_transfer
BEGIN
    SELECT RAISE(ABORT, 'ledger: transfers_stay');
END;
