-- The ledger's first form on PostgreSQL: the same tables and rules as on SQLite. A transfer's balances are filled in by
-- the database from the two locked accounts; what a hand-written INSERT says they are is not listened to.

CREATE TABLE ledger_account (
    id bigint NOT NULL PRIMARY KEY CHECK (id > 0),
    code text NOT NULL CHECK (length(code) BETWEEN 1 AND 64),
    currency text NOT NULL CHECK (length(currency) BETWEEN 2 AND 12),
    exponent bigint NOT NULL CHECK (exponent BETWEEN 0 AND 8),
    normal_side text NOT NULL CHECK (normal_side IN ('debit', 'credit')),
    guarded bigint NOT NULL CHECK (guarded IN (0, 1)),
    upper_bound_minor bigint CHECK (upper_bound_minor BETWEEN 0 AND 1000000000000000),
    debits_need_authorisation bigint NOT NULL CHECK (debits_need_authorisation IN (0, 1)),
    state text NOT NULL CHECK (state IN ('open', 'debits_frozen', 'frozen', 'closed')),
    version bigint NOT NULL CHECK (version >= 0),
    debits_posted bigint NOT NULL CHECK (debits_posted BETWEEN 0 AND 4000000000000000000),
    credits_posted bigint NOT NULL CHECK (credits_posted BETWEEN 0 AND 4000000000000000000),
    debits_pending bigint NOT NULL CHECK (debits_pending BETWEEN 0 AND 4000000000000000000),
    credits_pending bigint NOT NULL CHECK (credits_pending BETWEEN 0 AND 4000000000000000000),
    opened_at bigint NOT NULL,
    booked_at bigint NOT NULL,
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
) WITH (fillfactor = 50);  -- balances are updated in place (HOT), there is room on the page for it

CREATE TABLE ledger_transfer (
    id bigint NOT NULL PRIMARY KEY CHECK (id > 0),
    journal_id bigint NOT NULL,
    kind text NOT NULL CHECK (kind IN ('posted', 'pending', 'post', 'void', 'expire')),
    debit_account_id bigint NOT NULL REFERENCES ledger_account (id),
    credit_account_id bigint NOT NULL REFERENCES ledger_account (id),
    amount_minor bigint NOT NULL CHECK (amount_minor BETWEEN 1 AND 1000000000000000),
    currency text NOT NULL,
    exponent bigint NOT NULL,
    code text NOT NULL CHECK (length(code) BETWEEN 1 AND 64),
    pending_id bigint REFERENCES ledger_transfer (id),
    reverses_id bigint REFERENCES ledger_transfer (id),
    authorisation_id bigint,
    idempotency_key text NOT NULL CHECK (length(idempotency_key) BETWEEN 1 AND 128),
    booked_at bigint NOT NULL,
    due_at bigint,
    effective_on text CHECK (effective_on ~ '^[0-9]{4}-[0-1][0-9]-[0-3][0-9]$'),
    details text CHECK (length(details) <= 2048 AND jsonb_typeof(details::jsonb) = 'object'),
    debit_version bigint NOT NULL,
    debit_debits_posted bigint NOT NULL,
    debit_credits_posted bigint NOT NULL,
    debit_debits_pending bigint NOT NULL,
    debit_credits_pending bigint NOT NULL,
    credit_version bigint NOT NULL,
    credit_debits_posted bigint NOT NULL,
    credit_credits_posted bigint NOT NULL,
    credit_debits_pending bigint NOT NULL,
    credit_credits_pending bigint NOT NULL,
    CONSTRAINT journal_begins_earlier CHECK (journal_id BETWEEN 1 AND id),
    CONSTRAINT two_accounts CHECK (debit_account_id <> credit_account_id),
    CONSTRAINT pending_has_its_time CHECK ((kind = 'pending') = (due_at IS NOT NULL)),
    CONSTRAINT resolution_names_pending CHECK ((kind IN ('post', 'void', 'expire')) = (pending_id IS NOT NULL)),
    CONSTRAINT reversal_is_posted CHECK (reverses_id IS NULL OR kind = 'posted')
);

CREATE UNIQUE INDEX ledger_transfer_key ON ledger_transfer (idempotency_key);
CREATE UNIQUE INDEX ledger_transfer_debit ON ledger_transfer (debit_account_id, debit_version);
CREATE UNIQUE INDEX ledger_transfer_credit ON ledger_transfer (credit_account_id, credit_version);
CREATE UNIQUE INDEX ledger_transfer_pending ON ledger_transfer (pending_id) WHERE pending_id IS NOT NULL;
CREATE UNIQUE INDEX ledger_transfer_reverses ON ledger_transfer (reverses_id) WHERE reverses_id IS NOT NULL;
CREATE INDEX ledger_transfer_journal ON ledger_transfer (journal_id) WHERE journal_id <> id;

CREATE FUNCTION ledger_refuse(reason text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'LE001', MESSAGE = 'ledger: ' || reason;
END;
$$;

CREATE FUNCTION ledger_refused() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ledger_refuse(TG_ARGV[0]);
    RETURN NULL;
END;
$$;

CREATE FUNCTION ledger_account_begins_empty() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.version, NEW.debits_posted, NEW.credits_posted, NEW.debits_pending, NEW.credits_pending, NEW.state)
        IS DISTINCT FROM (0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 'open')
    THEN
        PERFORM ledger_refuse('account_begins_empty');
    END IF;
    RETURN NEW;
END;
$$;
CREATE TRIGGER ledger_account_begins_empty BEFORE INSERT ON ledger_account
    FOR EACH ROW EXECUTE FUNCTION ledger_account_begins_empty();

CREATE FUNCTION ledger_account_moves_by_transfer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id <> OLD.id OR NEW.code <> OLD.code OR NEW.currency <> OLD.currency OR NEW.exponent <> OLD.exponent
        OR NEW.normal_side <> OLD.normal_side OR NEW.guarded <> OLD.guarded
        OR NEW.upper_bound_minor IS DISTINCT FROM OLD.upper_bound_minor
        OR NEW.debits_need_authorisation <> OLD.debits_need_authorisation OR NEW.opened_at <> OLD.opened_at
    THEN
        PERFORM ledger_refuse('account_is_fixed');
    END IF;
    IF NEW.version = OLD.version AND NEW.booked_at = OLD.booked_at
        AND NEW.debits_posted = OLD.debits_posted AND NEW.credits_posted = OLD.credits_posted
        AND NEW.debits_pending = OLD.debits_pending AND NEW.credits_pending = OLD.credits_pending
    THEN
        RETURN NEW;  -- its state alone changes
    END IF;
    IF NEW.version <> OLD.version + 1 OR NEW.state <> OLD.state THEN
        PERFORM ledger_refuse('balance_without_transfer');
    END IF;
    PERFORM 1 FROM ledger_transfer
        WHERE debit_account_id = NEW.id AND debit_version = NEW.version AND booked_at = NEW.booked_at
          AND debit_debits_posted = NEW.debits_posted AND debit_credits_posted = NEW.credits_posted
          AND debit_debits_pending = NEW.debits_pending AND debit_credits_pending = NEW.credits_pending;
    IF FOUND THEN
        RETURN NEW;
    END IF;
    PERFORM 1 FROM ledger_transfer
        WHERE credit_account_id = NEW.id AND credit_version = NEW.version AND booked_at = NEW.booked_at
          AND credit_debits_posted = NEW.debits_posted AND credit_credits_posted = NEW.credits_posted
          AND credit_debits_pending = NEW.debits_pending AND credit_credits_pending = NEW.credits_pending;
    IF NOT FOUND THEN
        PERFORM ledger_refuse('balance_without_transfer');
    END IF;
    RETURN NEW;
END;
$$;
CREATE TRIGGER ledger_account_moves_by_transfer BEFORE UPDATE ON ledger_account
    FOR EACH ROW EXECUTE FUNCTION ledger_account_moves_by_transfer();
CREATE TRIGGER ledger_account_stays BEFORE DELETE ON ledger_account
    FOR EACH ROW EXECUTE FUNCTION ledger_refused('accounts_stay');
CREATE TRIGGER ledger_account_is_not_emptied BEFORE TRUNCATE ON ledger_account
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refused('accounts_stay');

-- Locks both accounts in the order of their ids, refuses what the rules refuse, and fills in the balances after.
CREATE FUNCTION ledger_transfer_rules() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    d ledger_account;
    c ledger_account;
    p ledger_transfer;
    r ledger_transfer;
    posted bigint := 0;
    pending bigint := 0;
BEGIN
    IF NEW.debit_account_id < NEW.credit_account_id THEN
        SELECT * INTO d FROM ledger_account WHERE id = NEW.debit_account_id FOR NO KEY UPDATE;
        SELECT * INTO c FROM ledger_account WHERE id = NEW.credit_account_id FOR NO KEY UPDATE;
    ELSE
        SELECT * INTO c FROM ledger_account WHERE id = NEW.credit_account_id FOR NO KEY UPDATE;
        SELECT * INTO d FROM ledger_account WHERE id = NEW.debit_account_id FOR NO KEY UPDATE;
    END IF;
    IF d.id IS NULL OR c.id IS NULL OR d.id = c.id THEN
        PERFORM ledger_refuse('unknown_account');
    END IF;
    IF NEW.amount_minor IS NULL OR NEW.amount_minor NOT BETWEEN 1 AND 1000000000000000 THEN
        PERFORM ledger_refuse('amount_out_of_range');
    END IF;
    IF NEW.currency IS DISTINCT FROM d.currency OR NEW.currency IS DISTINCT FROM c.currency
        OR NEW.exponent IS DISTINCT FROM d.exponent OR NEW.exponent IS DISTINCT FROM c.exponent
    THEN
        PERFORM ledger_refuse('currency_mismatch');
    END IF;
    IF (NEW.kind IN ('posted', 'pending') AND (d.state <> 'open' OR c.state NOT IN ('open', 'debits_frozen')))
        OR (NEW.kind = 'post' AND (d.state IN ('frozen', 'closed') OR c.state IN ('frozen', 'closed')))
    THEN
        PERFORM ledger_refuse('account_not_open');
    END IF;
    IF d.debits_need_authorisation = 1 AND NEW.authorisation_id IS NULL
        AND NEW.kind IN ('posted', 'pending', 'post')
    THEN
        PERFORM ledger_refuse('authorisation_missing');
    END IF;
    IF (NEW.kind IN ('post', 'void', 'expire')) IS DISTINCT FROM (NEW.pending_id IS NOT NULL) THEN
        PERFORM ledger_refuse('resolution_names_pending');
    END IF;

    -- Never behind the accounts' last booking, so that an account's history is ordered by time as well.
    NEW.booked_at := greatest(NEW.booked_at, d.booked_at, c.booked_at);

    IF NEW.pending_id IS NOT NULL THEN
        SELECT * INTO p FROM ledger_transfer WHERE id = NEW.pending_id;
        IF p.kind IS DISTINCT FROM 'pending' OR p.debit_account_id <> d.id OR p.credit_account_id <> c.id
            OR NEW.amount_minor > p.amount_minor
            OR (NEW.kind <> 'post' AND NEW.amount_minor <> p.amount_minor)
            OR (NEW.kind = 'expire' AND NEW.booked_at < p.due_at)
        THEN
            PERFORM ledger_refuse('not_what_was_pending');
        END IF;
        pending := -p.amount_minor;
    END IF;
    IF NEW.reverses_id IS NOT NULL THEN
        SELECT * INTO r FROM ledger_transfer WHERE id = NEW.reverses_id;
        IF r.id IS NULL OR r.kind NOT IN ('posted', 'post') OR r.reverses_id IS NOT NULL
            OR r.debit_account_id <> c.id OR r.credit_account_id <> d.id OR NEW.amount_minor > r.amount_minor
        THEN
            PERFORM ledger_refuse('not_what_was_posted');
        END IF;
    END IF;
    IF NEW.kind IN ('posted', 'post') THEN
        posted := NEW.amount_minor;
    ELSIF NEW.kind = 'pending' THEN
        pending := NEW.amount_minor;
    END IF;

    NEW.debit_version := d.version + 1;
    NEW.debit_debits_posted := d.debits_posted + posted;
    NEW.debit_credits_posted := d.credits_posted;
    NEW.debit_debits_pending := d.debits_pending + pending;
    NEW.debit_credits_pending := d.credits_pending;
    NEW.credit_version := c.version + 1;
    NEW.credit_debits_posted := c.debits_posted;
    NEW.credit_credits_posted := c.credits_posted + posted;
    NEW.credit_debits_pending := c.debits_pending;
    NEW.credit_credits_pending := c.credits_pending + pending;

    IF (d.guarded = 1 AND d.normal_side = 'credit'
            AND NEW.debit_credits_posted - NEW.debit_debits_posted - NEW.debit_debits_pending < 0)
        OR (c.guarded = 1 AND c.normal_side = 'debit'
            AND NEW.credit_debits_posted - NEW.credit_credits_posted - NEW.credit_credits_pending < 0)
    THEN
        PERFORM ledger_refuse('insufficient_funds');
    END IF;
    IF (c.normal_side = 'credit' AND c.upper_bound_minor IS NOT NULL AND NEW.credit_credits_posted
            + NEW.credit_credits_pending - NEW.credit_debits_posted > c.upper_bound_minor)
        OR (d.normal_side = 'debit' AND d.upper_bound_minor IS NOT NULL AND NEW.debit_debits_posted
            + NEW.debit_debits_pending - NEW.debit_credits_posted > d.upper_bound_minor)
    THEN
        PERFORM ledger_refuse('upper_bound_exceeded');
    END IF;
    RETURN NEW;
END;
$$;
CREATE TRIGGER ledger_transfer_rules BEFORE INSERT ON ledger_transfer
    FOR EACH ROW EXECUTE FUNCTION ledger_transfer_rules();

-- Money moves after the row is there, so that ON CONFLICT DO NOTHING moves none.
CREATE FUNCTION ledger_transfer_moves() RETURNS trigger LANGUAGE plpgsql AS $$
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
    RETURN NULL;
END;
$$;
CREATE TRIGGER ledger_transfer_moves AFTER INSERT ON ledger_transfer
    FOR EACH ROW EXECUTE FUNCTION ledger_transfer_moves();

CREATE TRIGGER ledger_transfer_never_changes BEFORE UPDATE ON ledger_transfer
    FOR EACH ROW EXECUTE FUNCTION ledger_refused('transfers_never_change');
CREATE TRIGGER ledger_transfer_stays BEFORE DELETE ON ledger_transfer
    FOR EACH ROW EXECUTE FUNCTION ledger_refused('transfers_stay');
CREATE TRIGGER ledger_transfer_is_not_emptied BEFORE TRUNCATE ON ledger_transfer
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refused('transfers_stay');

CREATE FUNCTION ledger_as_expected(account bigint, expected_version bigint, expected_available bigint)
RETURNS boolean LANGUAGE sql AS $$
    SELECT count(*) = 1 FROM ledger_account
    WHERE id = account AND version = coalesce(expected_version, version) AND (expected_available IS NULL
        OR expected_available = CASE normal_side
            WHEN 'debit' THEN debits_posted - credits_posted - credits_pending
            ELSE credits_posted - debits_posted - debits_pending END)
$$;

-- Books lines in one round trip, all or nothing. A refusal comes back as `reason` and leaves the transaction usable;
-- the accounts stay locked, so that the caller can then read why. `numbers` are eleven for each line: booked_at, and
-- version and four totals of the debited and of the credited account.
CREATE FUNCTION ledger_post(lines jsonb, OUT reason text, OUT numbers bigint[]) LANGUAGE plpgsql AS $$
DECLARE
    l record;
    t ledger_transfer;
BEGIN
    PERFORM 1 FROM ledger_account WHERE id IN (
        SELECT (x ->> 'd')::bigint FROM jsonb_array_elements(lines) AS x
        UNION ALL SELECT (x ->> 'c')::bigint FROM jsonb_array_elements(lines) AS x
    ) ORDER BY id FOR NO KEY UPDATE;
    BEGIN
        FOR l IN SELECT * FROM jsonb_to_recordset(lines) AS x (
            id bigint, j bigint, k text, d bigint, c bigint, a bigint, cur text, ex bigint, code text,
            p bigint, r bigint, auth bigint, key text, at bigint, due bigint, eff text, det text,
            dv bigint, cv bigint, da bigint, ca bigint
        ) LOOP
            IF ((l.dv IS NOT NULL OR l.da IS NOT NULL) AND NOT ledger_as_expected(l.d, l.dv, l.da))
                OR ((l.cv IS NOT NULL OR l.ca IS NOT NULL) AND NOT ledger_as_expected(l.c, l.cv, l.ca))
            THEN
                PERFORM ledger_refuse('expectation_failed');
            END IF;
            INSERT INTO ledger_transfer (
                id, journal_id, kind, debit_account_id, credit_account_id, amount_minor, currency, exponent, code,
                pending_id, reverses_id, authorisation_id, idempotency_key, booked_at, due_at, effective_on, details
            ) VALUES (
                l.id, l.j, l.k, l.d, l.c, l.a, l.cur, l.ex, l.code,
                l.p, l.r, l.auth, l.key, l.at, l.due, l.eff, l.det
            ) RETURNING * INTO t;
            numbers := numbers || ARRAY[
                t.booked_at,
                t.debit_version, t.debit_debits_posted, t.debit_credits_posted,
                t.debit_debits_pending, t.debit_credits_pending,
                t.credit_version, t.credit_debits_posted, t.credit_credits_posted,
                t.credit_debits_pending, t.credit_credits_pending
            ];
        END LOOP;
    EXCEPTION
        WHEN SQLSTATE 'LE001' THEN reason := SQLERRM; numbers := NULL;
        WHEN unique_violation THEN reason := 'ledger: exists'; numbers := NULL;
        WHEN check_violation THEN reason := 'ledger: total_out_of_range'; numbers := NULL;
    END;
END;
$$;
