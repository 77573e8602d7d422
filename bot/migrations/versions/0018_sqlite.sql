-- What the bank's statements say, line by line, and which proposal each line belongs to.

CREATE TABLE bank_lines (
    id INTEGER NOT NULL,
    form TEXT NOT NULL,
    booked_on TEXT NOT NULL,
    amount_minor INTEGER NOT NULL,
    currency TEXT NOT NULL,
    is_reversal INTEGER NOT NULL,
    facts_sealed BLOB,
    facts_index BLOB NOT NULL,
    imported_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    proposal_id INTEGER,
    PRIMARY KEY (id),
    CONSTRAINT form_is_known CHECK (form IN ('camt053', 'csv')),
    CONSTRAINT state_is_known CHECK (state IN ('open', 'proposed', 'matched', 'ignored')),
    CONSTRAINT booked_on_is_a_day CHECK (length(booked_on) = 10),
    CONSTRAINT amount_is_not_zero CHECK (amount_minor <> 0),
    CONSTRAINT matched_with_something CHECK ((state IN ('proposed', 'matched')) = (proposal_id IS NOT NULL)),
    FOREIGN KEY(proposal_id) REFERENCES proposals (id)
) STRICT;

CREATE UNIQUE INDEX uq_bank_lines_facts ON bank_lines (facts_index);

CREATE UNIQUE INDEX uq_bank_lines_proposal ON bank_lines (proposal_id) WHERE proposal_id IS NOT NULL;

CREATE INDEX ix_bank_lines_state ON bank_lines (state, booked_on, id);

CREATE INDEX ix_bank_lines_day ON bank_lines (booked_on, id);

CREATE INDEX ix_proposals_amount ON proposals (kind, amount_minor, id);

-- Its texts are sealed anew under another key, or go with an erased person; what was matched stays so.
CREATE TRIGGER what_the_bank_said_stays BEFORE UPDATE ON bank_lines
WHEN OLD.id <> NEW.id OR OLD.form <> NEW.form OR OLD.booked_on <> NEW.booked_on OR OLD.amount_minor <> NEW.amount_minor
    OR OLD.currency <> NEW.currency OR OLD.is_reversal <> NEW.is_reversal OR OLD.imported_at <> NEW.imported_at
    OR (OLD.facts_sealed IS NULL AND NEW.facts_sealed IS NOT NULL)
    OR (OLD.state = 'matched' AND (NEW.state <> 'matched' OR NEW.proposal_id <> OLD.proposal_id))
BEGIN SELECT RAISE(ABORT, 'what the bank said is never changed'); END;

CREATE TRIGGER bank_lines_are_added_once BEFORE INSERT ON bank_lines
WHEN EXISTS (SELECT 1 FROM bank_lines WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'what the bank said is never changed'); END;

CREATE TRIGGER bank_lines_are_not_deleted BEFORE DELETE ON bank_lines
BEGIN SELECT RAISE(ABORT, 'a line of the bank is never deleted'); END;
