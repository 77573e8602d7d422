-- What people decide for themselves: who hears what, in which time zone, under which terms, and whom they block. The handles
-- they had before.

ALTER TABLE people ADD COLUMN is_private BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE people ADD COLUMN receipts_muted BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE people ADD COLUMN time_zone VARCHAR;
ALTER TABLE people ADD COLUMN terms_version INTEGER;

CREATE TABLE blocks (
    id BIGINT NOT NULL,
    person_id BIGINT NOT NULL,
    blocked_id BIGINT NOT NULL,
    blocked_at BIGINT NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT blocked_once UNIQUE (person_id, blocked_id),
    CONSTRAINT nobody_blocks_themselves CHECK (person_id <> blocked_id),
    FOREIGN KEY(person_id) REFERENCES people (user_id),
    FOREIGN KEY(blocked_id) REFERENCES people (user_id)
);

CREATE INDEX ix_blocks_blocked ON blocks (blocked_id);

CREATE TABLE former_handles (
    id BIGINT NOT NULL,
    person_id BIGINT NOT NULL,
    username_sealed BYTEA,
    until BIGINT NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(person_id) REFERENCES people (user_id)
);

CREATE INDEX ix_former_handles_person ON former_handles (person_id, until);
