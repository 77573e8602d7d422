-- Who has frozen their account, or had it frozen, and the question that thaws it.

ALTER TABLE people ADD COLUMN frozen_at BIGINT;
ALTER TABLE people ADD COLUMN frozen_by VARCHAR;
ALTER TABLE people ADD COLUMN thaw_nonce BYTEA;
ALTER TABLE people ADD COLUMN thaw_key_id VARCHAR;
ALTER TABLE people ADD COLUMN thaw_expires_at BIGINT;
ALTER TABLE people ADD CONSTRAINT frozen_by_somebody CHECK ((frozen_at IS NULL) = (frozen_by IS NULL));
