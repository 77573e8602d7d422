-- A seal covers every transfer with an id below `through_id` that no earlier seal covers. `leaves` helps to find the row
-- that was changed (id and first eight bytes of the hash of each); what is signed does not depend on it.
CREATE TABLE ledger_seal (
    number bigint NOT NULL PRIMARY KEY CHECK (number > 0),
    through_id bigint NOT NULL,
    transfers bigint NOT NULL CHECK (transfers > 0),
    previous text NOT NULL CHECK (length(previous) = 64),
    root text NOT NULL CHECK (length(root) = 64),
    sealed_at bigint NOT NULL,
    key_id text NOT NULL CHECK (length(key_id) = 16),
    hash text NOT NULL CHECK (length(hash) = 64),
    signature text NOT NULL CHECK (length(signature) = 128),
    leaves bytea NOT NULL CHECK (length(leaves) = 16 * transfers)
);

CREATE FUNCTION ledger_seal_follows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last ledger_seal;
BEGIN
    LOCK TABLE ledger_seal IN SHARE ROW EXCLUSIVE MODE;
    SELECT * INTO last FROM ledger_seal ORDER BY number DESC LIMIT 1;
    IF NEW.number IS DISTINCT FROM coalesce(last.number, 0) + 1
        OR (last.number IS NOT NULL AND (last.hash IS DISTINCT FROM NEW.previous OR last.through_id >= NEW.through_id))
    THEN
        PERFORM ledger_refuse('seal_does_not_follow');
    END IF;
    RETURN NEW;
END;
$$;
CREATE TRIGGER ledger_seal_follows BEFORE INSERT ON ledger_seal
    FOR EACH ROW EXECUTE FUNCTION ledger_seal_follows();
CREATE TRIGGER ledger_seal_never_changes BEFORE UPDATE ON ledger_seal
    FOR EACH ROW EXECUTE FUNCTION ledger_refused('seals_never_change');
CREATE TRIGGER ledger_seal_stays BEFORE DELETE ON ledger_seal
    FOR EACH ROW EXECUTE FUNCTION ledger_refused('seals_stay');
CREATE TRIGGER ledger_seal_is_not_emptied BEFORE TRUNCATE ON ledger_seal
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refused('seals_stay');

CREATE FUNCTION ledger_transfer_is_not_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id < (SELECT through_id FROM ledger_seal ORDER BY number DESC LIMIT 1) THEN
        PERFORM ledger_refuse('behind_the_seal');
    END IF;
    RETURN NEW;
END;
$$;
CREATE TRIGGER ledger_transfer_is_not_sealed BEFORE INSERT ON ledger_transfer
    FOR EACH ROW EXECUTE FUNCTION ledger_transfer_is_not_sealed();
