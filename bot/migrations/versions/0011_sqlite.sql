-- Devices people are signed in on, and the links that brought them in.

CREATE TABLE device_links (
    id INTEGER NOT NULL,
    person_id INTEGER NOT NULL,
    token_hash BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    PRIMARY KEY (id),
    CONSTRAINT a_link_lasts CHECK (expires_at > created_at),
    FOREIGN KEY(person_id) REFERENCES people (user_id)
) STRICT;

CREATE UNIQUE INDEX ix_device_links_token ON device_links (token_hash);

CREATE INDEX ix_device_links_person ON device_links (person_id) WHERE used_at IS NULL;

CREATE TABLE devices (
    id INTEGER NOT NULL,
    person_id INTEGER NOT NULL,
    secret_hash BLOB NOT NULL,
    name_sealed BLOB,
    created_at INTEGER NOT NULL,
    proved_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    ended_at INTEGER,
    PRIMARY KEY (id),
    FOREIGN KEY(person_id) REFERENCES people (user_id)
) STRICT;

CREATE UNIQUE INDEX ix_devices_secret ON devices (secret_hash);

CREATE INDEX ix_devices_person ON devices (person_id) WHERE ended_at IS NULL;

-- A link is good once, and what was signed out stays so, whoever writes.

CREATE TRIGGER a_used_link_stays_used BEFORE UPDATE ON device_links
WHEN OLD.used_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a used link stays used'); END;

CREATE TRIGGER a_device_signed_out_stays_so BEFORE UPDATE ON devices
WHEN OLD.ended_at IS NOT NULL AND NEW.ended_at IS NOT OLD.ended_at
BEGIN SELECT RAISE(ABORT, 'a device that was signed out stays so'); END;
