CREATE TABLE admin_actions (
    id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    channel TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    reason_sealed BLOB,
    facts TEXT NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT channel_is_known CHECK (channel IN ('command', 'page')),
    CONSTRAINT actor_is_named CHECK (length(actor) BETWEEN 1 AND 64)
) STRICT;

CREATE INDEX ix_admin_actions_subject ON admin_actions (subject, id);

-- An UPDATE OR REPLACE or INSERT OR REPLACE deletes without a DELETE trigger unless triggers are recursive.
CREATE TRIGGER admin_actions_are_added_once BEFORE INSERT ON admin_actions
WHEN EXISTS (SELECT 1 FROM admin_actions WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'what an admin did is never changed'); END;

CREATE TRIGGER admin_actions_are_not_changed BEFORE UPDATE ON admin_actions
BEGIN SELECT RAISE(ABORT, 'what an admin did is never changed'); END;

CREATE TRIGGER admin_actions_are_not_deleted BEFORE DELETE ON admin_actions
BEGIN SELECT RAISE(ABORT, 'what an admin did is never deleted'); END;
