-- What was settled and still has its text, so that the wiping finds it.

CREATE INDEX ix_inbox_text ON inbox (finished_at) WHERE state = 'done' AND payload_sealed IS NOT NULL;

CREATE INDEX ix_outbox_text ON outbox (finished_at)
    WHERE state IN ('sent', 'dropped') AND parameters_sealed IS NOT NULL;
