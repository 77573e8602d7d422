CREATE TABLE restores (
    id INTEGER NOT NULL,
    made_at INTEGER NOT NULL,
    restored_at INTEGER NOT NULL,
    reconciled_at INTEGER,
    manifest TEXT NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT reconciled_after_it_was_restored CHECK (reconciled_at IS NULL OR reconciled_at >= restored_at)
) STRICT;

-- An UPDATE OR REPLACE or INSERT OR REPLACE deletes without a DELETE trigger unless triggers are recursive.
CREATE TRIGGER restores_are_added_once BEFORE INSERT ON restores
WHEN EXISTS (SELECT 1 FROM restores WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'that a book was restored is never forgotten'); END;

CREATE TRIGGER restores_are_reconciled_once BEFORE UPDATE ON restores
WHEN OLD.reconciled_at IS NOT NULL OR NEW.id <> OLD.id OR NEW.made_at <> OLD.made_at
    OR NEW.restored_at <> OLD.restored_at OR NEW.manifest <> OLD.manifest
BEGIN SELECT RAISE(ABORT, 'a restore is reconciled once, and never changed'); END;

CREATE TRIGGER restores_are_not_deleted BEFORE DELETE ON restores
BEGIN SELECT RAISE(ABORT, 'that a book was restored is never forgotten'); END;
