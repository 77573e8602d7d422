-- How well the operator knows a person.

ALTER TABLE people ADD COLUMN tier VARCHAR NOT NULL DEFAULT 'new';
ALTER TABLE people ADD COLUMN identified_at BIGINT;
ALTER TABLE people ADD CONSTRAINT tier_is_known CHECK (tier IN ('new', 'identified', 'merchant', 'association'));
ALTER TABLE people ADD CONSTRAINT known_since CHECK ((tier = 'new') = (identified_at IS NULL));

-- More causes for a debit.

ALTER TABLE authorisations DROP CONSTRAINT kind_is_known;
ALTER TABLE authorisations ADD CONSTRAINT kind_is_known
    CHECK (kind IN ('answer', 'page', 'trusted', 'low_value', 'return', 'admin'));

-- Money that is pending for a reason of its own.

ALTER TABLE intent_lines DROP CONSTRAINT state_is_known;
ALTER TABLE intent_lines ADD CONSTRAINT state_is_known CHECK (state IN
    ('asked', 'paid', 'held', 'undoable', 'review', 'cancelled', 'declined', 'expired', 'returned', 'refused'));
ALTER TABLE intent_lines DROP CONSTRAINT held_has_an_end;
ALTER TABLE intent_lines ADD CONSTRAINT held_has_an_end
    CHECK (state NOT IN ('held', 'undoable', 'review') OR due_at IS NOT NULL);
CREATE INDEX ix_intent_lines_pending ON intent_lines (state, due_at) WHERE state IN ('undoable', 'review');
