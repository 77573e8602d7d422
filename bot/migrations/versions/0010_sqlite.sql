-- Who has frozen their account, or had it frozen, and the question that thaws it.

ALTER TABLE people ADD COLUMN frozen_at INTEGER;
ALTER TABLE people ADD COLUMN frozen_by TEXT
    CONSTRAINT frozen_by_somebody CHECK ((frozen_at IS NULL) = (frozen_by IS NULL));
ALTER TABLE people ADD COLUMN thaw_nonce BLOB;
ALTER TABLE people ADD COLUMN thaw_key_id TEXT;
ALTER TABLE people ADD COLUMN thaw_expires_at INTEGER;
