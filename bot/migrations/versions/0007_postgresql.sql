CREATE TABLE restores (
    id BIGINT NOT NULL,
    made_at BIGINT NOT NULL,
    restored_at BIGINT NOT NULL,
    reconciled_at BIGINT,
    manifest VARCHAR NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT reconciled_after_it_was_restored CHECK (reconciled_at IS NULL OR reconciled_at >= restored_at)
);

CREATE TRIGGER restores_are_reconciled_once BEFORE UPDATE ON restores FOR EACH ROW
WHEN (
    OLD.reconciled_at IS NOT NULL OR NEW.id <> OLD.id OR NEW.made_at <> OLD.made_at
    OR NEW.restored_at <> OLD.restored_at OR NEW.manifest <> OLD.manifest
)
EXECUTE FUNCTION bot_refuse('a restore is reconciled once, and never changed');

CREATE TRIGGER restores_are_not_deleted BEFORE DELETE ON restores
FOR EACH ROW EXECUTE FUNCTION bot_refuse('that a book was restored is never forgotten');

CREATE TRIGGER restores_are_not_truncated BEFORE TRUNCATE ON restores
FOR EACH STATEMENT EXECUTE FUNCTION bot_refuse('that a book was restored is never forgotten');
