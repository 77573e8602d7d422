-- Top-ups by card: what was asked for, the processor's page it became, and what was booked for it. What the processor holds of
-- ours, change by change, and what people owe whose card took back what they had spent.

CREATE TABLE top_ups (
    id BIGINT NOT NULL,
    reference VARCHAR NOT NULL,
    person_id BIGINT NOT NULL,
    asked_in BIGINT NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency VARCHAR NOT NULL,
    language VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    checkout_id VARCHAR,
    payment_id VARCHAR,
    fee_minor BIGINT,
    transfer_id BIGINT,
    fee_transfer_id BIGINT,
    asked_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    hints INTEGER NOT NULL,
    looks INTEGER NOT NULL,
    due_at BIGINT,
    finished_at BIGINT,
    reason VARCHAR,
    PRIMARY KEY (id),
    UNIQUE (reference),
    UNIQUE (checkout_id),
    UNIQUE (transfer_id),
    UNIQUE (fee_transfer_id),
    CONSTRAINT one_top_up_for_a_message UNIQUE (asked_in),
    CONSTRAINT state_is_known CHECK (state IN ('asked', 'open', 'pending', 'paid', 'failed', 'set_aside')),
    CONSTRAINT tops_up_something CHECK (amount_minor > 0),
    CONSTRAINT a_fee_is_no_gift CHECK (fee_minor IS NULL OR fee_minor >= 0),
    CONSTRAINT paid_is_booked CHECK ((state = 'paid') = (transfer_id IS NOT NULL)),
    CONSTRAINT open_has_a_page CHECK (state IN ('asked', 'failed') OR checkout_id IS NOT NULL),
    FOREIGN KEY(person_id) REFERENCES people (user_id)
);

CREATE INDEX ix_top_ups_due ON top_ups (due_at) WHERE due_at IS NOT NULL;

CREATE INDEX ix_top_ups_set_aside ON top_ups (id) WHERE state = 'set_aside';

CREATE INDEX ix_top_ups_person ON top_ups (person_id, asked_at);

-- An erased person becomes a stand-in below zero, and so does the message they asked in. What is paid stays paid.
CREATE TRIGGER what_was_topped_up_stays BEFORE UPDATE ON top_ups
FOR EACH ROW WHEN (
    OLD.id <> NEW.id OR OLD.reference <> NEW.reference OR OLD.amount_minor <> NEW.amount_minor OR OLD.currency <> NEW.currency
    OR (OLD.person_id <> NEW.person_id AND NEW.person_id > 0) OR (OLD.checkout_id <> NEW.checkout_id)
    OR (OLD.checkout_id IS NOT NULL AND NEW.checkout_id IS NULL)
    OR (OLD.state = 'paid' AND (NEW.state <> 'paid' OR NEW.transfer_id <> OLD.transfer_id))
    OR (OLD.fee_transfer_id IS NOT NULL AND (NEW.fee_transfer_id IS NULL OR NEW.fee_transfer_id <> OLD.fee_transfer_id))
)
EXECUTE FUNCTION bot_refuse('what was topped up is never changed');

CREATE TRIGGER top_ups_are_not_deleted BEFORE DELETE ON top_ups
FOR EACH ROW EXECUTE FUNCTION bot_refuse('a top-up is never deleted');

CREATE TRIGGER top_ups_are_not_truncated BEFORE TRUNCATE ON top_ups
FOR EACH STATEMENT EXECUTE FUNCTION bot_refuse('a top-up is never deleted');

CREATE TABLE card_movements (
    id BIGINT NOT NULL,
    movement_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    amount_minor BIGINT NOT NULL,
    fee_minor BIGINT NOT NULL,
    currency VARCHAR NOT NULL,
    payment_id VARCHAR NOT NULL,
    happened_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    state VARCHAR NOT NULL,
    transfer_id BIGINT,
    PRIMARY KEY (id),
    UNIQUE (movement_id),
    UNIQUE (transfer_id),
    CONSTRAINT kind_is_known CHECK (kind IN ('charge', 'return', 'payout', 'fee', 'other')),
    CONSTRAINT state_is_known CHECK (state IN ('open', 'booked'))
);

CREATE INDEX ix_card_movements_open ON card_movements (id) WHERE state = 'open';

CREATE INDEX ix_card_movements_at ON card_movements (happened_at);

CREATE INDEX ix_card_movements_payment ON card_movements (payment_id);

CREATE INDEX ix_top_ups_payment ON top_ups (payment_id);

CREATE TRIGGER what_the_processor_said_stays BEFORE UPDATE ON card_movements
FOR EACH ROW WHEN (
    OLD.id <> NEW.id OR OLD.movement_id <> NEW.movement_id OR OLD.kind <> NEW.kind OR OLD.amount_minor <> NEW.amount_minor
    OR OLD.fee_minor <> NEW.fee_minor OR OLD.currency <> NEW.currency OR OLD.payment_id <> NEW.payment_id
    OR OLD.state = 'booked'
)
EXECUTE FUNCTION bot_refuse('what the processor said is never changed');

CREATE TRIGGER card_movements_are_not_deleted BEFORE DELETE ON card_movements
FOR EACH ROW EXECUTE FUNCTION bot_refuse('what the processor said is never deleted');

CREATE TRIGGER card_movements_are_not_truncated BEFORE TRUNCATE ON card_movements
FOR EACH STATEMENT EXECUTE FUNCTION bot_refuse('what the processor said is never deleted');

ALTER TABLE people ADD COLUMN debt_id BIGINT;

CREATE UNIQUE INDEX uq_people_debt_id ON people (debt_id) WHERE debt_id IS NOT NULL;

ALTER TABLE authorisations DROP CONSTRAINT kind_is_known;
ALTER TABLE authorisations ADD CONSTRAINT kind_is_known
    CHECK (kind IN ('answer', 'page', 'trusted', 'low_value', 'return', 'admin', 'card'));
