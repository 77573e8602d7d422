-- One listener at a time, the token to subscribe with, and messages that came by two ways.

CREATE TABLE leases (
    name TEXT NOT NULL,
    holder INTEGER NOT NULL,
    token INTEGER NOT NULL,
    until_at INTEGER NOT NULL,
    PRIMARY KEY (name)
) STRICT;

CREATE TABLE user_tokens (
    user_id INTEGER NOT NULL,
    access_sealed BLOB,
    refresh_sealed BLOB,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (user_id)
) STRICT;

ALTER TABLE inbox ADD COLUMN pushed INTEGER NOT NULL DEFAULT 0;

ALTER TABLE inbox ADD COLUMN twin_id INTEGER;

CREATE INDEX ix_inbox_twin ON inbox (twin_id) WHERE twin_id IS NOT NULL;

CREATE INDEX ix_inbox_said ON inbox (person_id, said_at);
