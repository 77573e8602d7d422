-- A seal covers every transfer with an id below `through_id` that no earlier seal covers. `leaves` helps to find the row
-- that was changed (id and first eight bytes of the hash of each); what is signed does not depend on it.
CREATE TABLE ledger_seal (
    number INTEGER NOT NULL PRIMARY KEY CHECK (number > 0),
    through_id INTEGER NOT NULL,
    transfers INTEGER NOT NULL CHECK (transfers > 0),
    previous TEXT NOT NULL CHECK (length(previous) = 64),
    root TEXT NOT NULL CHECK (length(root) = 64),
    sealed_at INTEGER NOT NULL,
    key_id TEXT NOT NULL CHECK (length(key_id) = 16),
    hash TEXT NOT NULL CHECK (length(hash) = 64),
    signature TEXT NOT NULL CHECK (length(signature) = 128),
    leaves BLOB NOT NULL CHECK (length(leaves) = 16 * transfers)
) STRICT;

CREATE TRIGGER ledger_seal_follows BEFORE INSERT ON ledger_seal
BEGIN
    SELECT CASE
        WHEN NEW.number IS NOT (SELECT coalesce(max(number), 0) + 1 FROM ledger_seal)
            THEN RAISE(ABORT, 'ledger: seal_does_not_follow')
        WHEN EXISTS (
            SELECT 1 FROM ledger_seal WHERE number = NEW.number - 1
            AND (hash IS NOT NEW.previous OR through_id >= NEW.through_id)
        ) THEN RAISE(ABORT, 'ledger: seal_does_not_follow')
    END;
END;
CREATE TRIGGER ledger_seal_never_changes BEFORE UPDATE ON ledger_seal
BEGIN
    SELECT RAISE(ABORT, 'ledger: seals_never_change');
END;
CREATE TRIGGER ledger_seal_stays BEFORE DELETE ON ledger_seal
BEGIN
    SELECT RAISE(ABORT, 'ledger: seals_stay');
END;

CREATE TRIGGER ledger_transfer_is_not_sealed BEFORE INSERT ON ledger_transfer
WHEN NEW.id < (SELECT through_id FROM ledger_seal ORDER BY number DESC LIMIT 1)
BEGIN
    SELECT RAISE(ABORT, 'ledger: behind_the_seal');
END;
