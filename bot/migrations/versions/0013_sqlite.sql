-- Indexes over what is still open, so that finding it costs the same however much is done with.

DROP INDEX ix_inbox_waiting;
CREATE INDEX ix_inbox_waiting ON inbox (person_id, urgent, said_at) WHERE state = 'waiting';

CREATE INDEX ix_intents_payer_closed ON intents (payer_id, closed_at);

DROP INDEX ix_intent_lines_pending;
CREATE INDEX ix_intent_lines_set_aside ON intent_lines (due_at) WHERE state IN ('held', 'review', 'undoable');

DROP INDEX ix_challenges_open;
CREATE INDEX ix_challenges_open ON challenges (created_at) WHERE state IN ('queued', 'open');

CREATE INDEX ix_reviews_open ON reviews (opened_at) WHERE outcome = 'open';

DROP INDEX ix_outbox_due;
CREATE INDEX ix_outbox_due ON outbox (kind, priority, due_at, id) WHERE state IN ('waiting', 'sending', 'unknown');
