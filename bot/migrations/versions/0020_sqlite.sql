-- The handle of a line can be looked for without opening every line: whoever was paid under it before is found at once.

ALTER TABLE intent_lines ADD COLUMN username_index BLOB;

CREATE INDEX ix_intent_lines_username ON intent_lines (username_index, payee_id) WHERE username_index IS NOT NULL;
