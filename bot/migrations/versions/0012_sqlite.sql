-- What people decide for themselves: who hears what, in which time zone, under which terms, and whom they block. The handles
-- they had before.

ALTER TABLE people ADD COLUMN is_private INTEGER NOT NULL DEFAULT 0;
ALTER TABLE people ADD COLUMN receipts_muted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE people ADD COLUMN time_zone TEXT;
ALTER TABLE people ADD COLUMN terms_version INTEGER;

CREATE TABLE blocks (
    id INTEGER NOT NULL,
    person_id INTEGER NOT NULL,
    blocked_id INTEGER NOT NULL,
    blocked_at INTEGER NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT blocked_once UNIQUE (person_id, blocked_id),
    CONSTRAINT nobody_blocks_themselves CHECK (person_id <> blocked_id),
    FOREIGN KEY(person_id) REFERENCES people (user_id),
    FOREIGN KEY(blocked_id) REFERENCES people (user_id)
) STRICT;

CREATE INDEX ix_blocks_blocked ON blocks (blocked_id);

CREATE TABLE former_handles (
    id INTEGER NOT NULL,
    person_id INTEGER NOT NULL,
    username_sealed BLOB,
    until INTEGER NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(person_id) REFERENCES people (user_id)
) STRICT;

CREATE INDEX ix_former_handles_person ON former_handles (person_id, until);
