-- What the pages and figures look up must be found without reading whole tables.

CREATE INDEX ix_inbox_set_aside ON inbox (id) WHERE state = 'set_aside';

CREATE INDEX ix_outbox_created ON outbox (created_at, phrase);

CREATE INDEX ix_outbox_failed ON outbox (id) WHERE state = 'failed';

CREATE INDEX ix_intents_closed ON intents (state, closed_at);
