CREATE TABLE admin_actions (
    id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor VARCHAR NOT NULL,
    channel VARCHAR NOT NULL,
    action VARCHAR NOT NULL,
    subject VARCHAR NOT NULL,
    reason_sealed BYTEA,
    facts VARCHAR NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT channel_is_known CHECK (channel IN ('command', 'page')),
    CONSTRAINT actor_is_named CHECK (length(actor) BETWEEN 1 AND 64)
);

CREATE INDEX ix_admin_actions_subject ON admin_actions (subject, id);

CREATE TRIGGER admin_actions_are_not_changed BEFORE UPDATE OR DELETE ON admin_actions
FOR EACH ROW EXECUTE FUNCTION bot_refuse('what an admin did is never changed');

CREATE TRIGGER admin_actions_are_not_truncated BEFORE TRUNCATE ON admin_actions
FOR EACH STATEMENT EXECUTE FUNCTION bot_refuse('what an admin did is never deleted');
