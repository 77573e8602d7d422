-- How well the operator knows a person.

ALTER TABLE people ADD COLUMN tier TEXT NOT NULL DEFAULT 'new'
    CONSTRAINT tier_is_known CHECK (tier IN ('new', 'identified', 'merchant', 'association'));
ALTER TABLE people ADD COLUMN identified_at INTEGER
    CONSTRAINT known_since CHECK ((tier = 'new') = (identified_at IS NULL));

-- SQLite has no way to change a CHECK but this one, which its documentation of ALTER TABLE gives for changes that leave
-- what is stored alone (https://www.sqlite.org/lang_altertable.html, section 7): each of these only allows more.

PRAGMA writable_schema = ON;

UPDATE sqlite_schema SET sql = replace(sql,
    'CHECK (kind IN (''answer'', ''return''))',
    'CHECK (kind IN (''answer'', ''page'', ''trusted'', ''low_value'', ''return'', ''admin''))')
WHERE type = 'table' AND name = 'authorisations';

UPDATE sqlite_schema SET sql = replace(replace(sql,
    'CHECK (state IN (''asked'', ''paid'', ''held'', ''cancelled'', ''declined'', ''expired'', ''returned''))',
    'CHECK (state IN (''asked'', ''paid'', ''held'', ''undoable'', ''review'', ''cancelled'', ''declined'', ''expired'', ''returned'', ''refused''))'),
    'CHECK (state <> ''held'' OR due_at IS NOT NULL)',
    'CHECK (state NOT IN (''held'', ''undoable'', ''review'') OR due_at IS NOT NULL)')
WHERE type = 'table' AND name = 'intent_lines';

PRAGMA writable_schema = RESET;

CREATE INDEX ix_intent_lines_pending ON intent_lines (state, due_at) WHERE state IN ('undoable', 'review');
