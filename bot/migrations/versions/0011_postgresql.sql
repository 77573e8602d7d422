-- Devices people are signed in on, and the links that brought them in.

CREATE TABLE device_links (
    id BIGINT NOT NULL,
    person_id BIGINT NOT NULL,
    token_hash BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    PRIMARY KEY (id),
    CONSTRAINT a_link_lasts CHECK (expires_at > created_at),
    FOREIGN KEY(person_id) REFERENCES people (user_id)
);

CREATE UNIQUE INDEX ix_device_links_token ON device_links (token_hash);

CREATE INDEX ix_device_links_person ON device_links (person_id) WHERE used_at IS NULL;

CREATE TABLE devices (
    id BIGINT NOT NULL,
    person_id BIGINT NOT NULL,
    secret_hash BYTEA NOT NULL,
    name_sealed BYTEA,
    created_at BIGINT NOT NULL,
    proved_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    ended_at BIGINT,
    PRIMARY KEY (id),
    FOREIGN KEY(person_id) REFERENCES people (user_id)
);

CREATE UNIQUE INDEX ix_devices_secret ON devices (secret_hash);

CREATE INDEX ix_devices_person ON devices (person_id) WHERE ended_at IS NULL;

-- A link is good once, and what was signed out stays so, whoever writes.

CREATE TRIGGER a_used_link_stays_used BEFORE UPDATE ON device_links FOR EACH ROW
WHEN (OLD.used_at IS NOT NULL)
EXECUTE FUNCTION bot_refuse('a used link stays used');

CREATE TRIGGER a_device_signed_out_stays_so BEFORE UPDATE ON devices FOR EACH ROW
WHEN (OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at)
EXECUTE FUNCTION bot_refuse('a device that was signed out stays so');
