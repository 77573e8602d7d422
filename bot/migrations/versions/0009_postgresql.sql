-- One listener at a time, the token to subscribe with, and messages that came by two ways.

CREATE TABLE leases (
    name VARCHAR NOT NULL,
    holder BIGINT NOT NULL,
    token BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    PRIMARY KEY (name)
);

CREATE TABLE user_tokens (
    user_id BIGINT NOT NULL,
    access_sealed BYTEA,
    refresh_sealed BYTEA,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (user_id)
);

ALTER TABLE inbox ADD COLUMN pushed BOOLEAN NOT NULL DEFAULT FALSE;

ALTER TABLE inbox ADD COLUMN twin_id BIGINT;

CREATE INDEX ix_inbox_twin ON inbox (twin_id) WHERE twin_id IS NOT NULL;

CREATE INDEX ix_inbox_said ON inbox (person_id, said_at);
