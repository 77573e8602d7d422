"""The bot's tables: people, what arrived, what is to be said, and what became of each order.

Money is not here: these rows point at the ledger's accounts and transfers by id. What people wrote (texts, notes,
handles, names) stands only in `*_sealed` columns, encrypted by the vault for exactly that table, row and column, so
that it can be wiped without touching the books. Nothing here decides anything; SQLModel does not validate, so the
rules that matter are CHECK and UNIQUE constraints.
"""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field

from bot.store.columns import BotTable
from bot.store.columns import big_id as _id
from bot.store.columns import instant as _instant
from bot.store.columns import one_of as _one_of
from bot.store.columns import sealed as _sealed


class PersonRow(BotTable, table=True):
    """Someone on X who wrote to the bot or was paid through it. The id is the person, all else is a label or a state."""

    __tablename__ = "people"
    __table_args__ = (
        _one_of("standing", "stranger", "enrolled", "stopped"),
        CheckConstraint("wrong_answers >= 0 AND locks >= 0", name="counters_are_not_negative"),
        CheckConstraint("(frozen_at IS NULL) = (frozen_by IS NULL)", name="frozen_by_somebody"),
        _one_of("tier", "new", "identified", "merchant", "association"),
        CheckConstraint("(tier = 'new') = (identified_at IS NULL)", name="known_since"),
    )
    user_id: int = Field(sa_column=_id(primary=True))
    username_sealed: bytes | None = Field(default=None, sa_column=_sealed())
    name_sealed: bytes | None = Field(default=None, sa_column=_sealed())
    username_index: bytes | None = Field(default=None, sa_column=Column(LargeBinary, index=True))
    labelled_by: int = Field(default=0, sa_column=_id())
    """The X id of the newest text these labels came with: an older text never renames anyone."""
    standing: str = "stranger"
    wallet_id: int | None = Field(default=None, sa_column=Column(BigInteger, unique=True, nullable=True))
    debt_id: int | None = Field(default=None, sa_column=Column(BigInteger, unique=True, nullable=True))
    """The account of what they owe the operator, once their card took something back that was spent."""
    chosen_language: str | None = None
    spoken_language: str = "en"
    welcomed_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    enrolled_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    stopped_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    wrong_answers: int = 0
    locks: int = 0
    locked_until: datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    letters_used: int = 0
    barred_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    """Since when this person's answers count no more, until somebody has made sure of them."""
    unlocked_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    tier: str = "new"
    identified_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    frozen_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    frozen_by: str | None = None
    """`self` or `operator`: who alone can thaw it."""
    thaw_nonce: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    thaw_key_id: str | None = None
    thaw_expires_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    is_private: bool = False
    """Others see their handle alone, and nothing is said under their posts."""
    receipts_muted: bool = False
    """They are not told of each payment that comes in."""
    time_zone: str | None = None
    terms_version: int | None = None
    """The newest terms they have agreed to."""
    terms_shown_version: int | None = None
    """Those they were shown last."""


class InboxRow(BotTable, table=True):
    """Something that arrived: one version of a post, one direct message, or the result of a look-up. Stored once."""

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("kind", "x_id", name="stored_once"),
        _one_of("kind", "post", "message", "lookup"),
        _one_of("state", "waiting", "done", "set_aside"),
        Index("ix_inbox_waiting", "person_id", "urgent", "said_at", sqlite_where=text("state = 'waiting'"),
              postgresql_where=text("state = 'waiting'")),
        Index("ix_inbox_chain", "chain_id"),
        Index("ix_inbox_set_aside", "id", sqlite_where=text("state = 'set_aside'"),
              postgresql_where=text("state = 'set_aside'")),
        Index("ix_inbox_twin", "twin_id", sqlite_where=text("twin_id IS NOT NULL"),
              postgresql_where=text("twin_id IS NOT NULL")),
        Index("ix_inbox_said", "person_id", "said_at"),
        Index("ix_inbox_text", "finished_at", sqlite_where=text("state = 'done' AND payload_sealed IS NOT NULL"),
              postgresql_where=text("state = 'done' AND payload_sealed IS NOT NULL")),
    )  # fmt: skip
    id: int = Field(sa_column=_id(primary=True))
    kind: str
    x_id: int = Field(sa_column=_id())
    chain_id: int = Field(sa_column=_id())
    """The first id of a post's edit history; a message's own id."""
    person_id: int = Field(sa_column=_id(foreign="people.user_id"))
    urgent: bool = False
    pushed: bool = False
    twin_id: int | None = Field(default=None, sa_column=_id(nullable=True))
    """The id the same message bore when it came the other way too, pushed or polled."""
    payload_sealed: bytes | None = Field(default=None, sa_column=_sealed())
    said_at: datetime = Field(sa_column=_instant())
    received_at: datetime = Field(sa_column=_instant())
    state: str = "waiting"
    finished_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    reason: str | None = None


class OutboxRow(BotTable, table=True):
    """Something to be said, as a phrase and its parameters, and how far it has come."""

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("reply_to", name="one_reply_for_a_post"),
        UniqueConstraint("challenge_id", name="one_message_for_a_challenge"),
        _one_of("kind", "message", "reply", "lookup"),
        _one_of("state", "waiting", "sending", "unknown", "sent", "failed", "dropped"),
        Index("ix_outbox_due", "kind", "priority", "due_at", "id", sqlite_where=text("state IN ('waiting', 'sending', 'unknown')"),
              postgresql_where=text("state IN ('waiting', 'sending', 'unknown')")),
        Index("ix_outbox_attempted", "kind", "attempted_at"),
        Index("ix_outbox_merged", "merged_into", sqlite_where=text("merged_into IS NOT NULL"),
              postgresql_where=text("merged_into IS NOT NULL")),
        Index("ix_outbox_waiting", "person_id", sqlite_where=text("state = 'waiting'"),
              postgresql_where=text("state = 'waiting'")),
        Index("ix_outbox_sending", "person_id", sqlite_where=text("state = 'sending'"),
              postgresql_where=text("state = 'sending'")),
        Index("ix_outbox_person", "person_id", "phrase", "created_at"),
        Index("ix_outbox_created", "created_at", "phrase"),
        Index("ix_outbox_text", "finished_at",
              sqlite_where=text("state IN ('sent', 'dropped') AND parameters_sealed IS NOT NULL"),
              postgresql_where=text("state IN ('sent', 'dropped') AND parameters_sealed IS NOT NULL")),
        Index("ix_outbox_failed", "id", sqlite_where=text("state = 'failed'"), postgresql_where=text("state = 'failed'")),
    )  # fmt: skip
    id: int = Field(sa_column=_id(primary=True))
    kind: str
    person_id: int = Field(sa_column=_id(foreign="people.user_id"))
    reply_to: int | None = Field(default=None, sa_column=_id(nullable=True))
    """The first id of the post's edit history: one reply for all its versions."""
    reply_to_version: int | None = Field(default=None, sa_column=_id(nullable=True))
    inbox_id: int | None = Field(default=None, sa_column=_id(nullable=True))
    """What this answers; for a look-up, the row that waits for its result."""
    challenge_id: int | None = Field(default=None, sa_column=_id(foreign="challenges.id", nullable=True))
    merged_into: int | None = Field(default=None, sa_column=_id(foreign="outbox.id", nullable=True))
    """The row whose message says this too: they go out as one, and share what becomes of it."""
    phrase: str
    language: str
    parameters_sealed: bytes | None = Field(default=None, sa_column=_sealed())
    priority: int
    state: str = "waiting"
    attempts: int = 0
    created_at: datetime = Field(sa_column=_instant())
    due_at: datetime = Field(sa_column=_instant())
    attempted_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    first_attempted_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    finished_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    sent_id: int | None = Field(default=None, sa_column=_id(nullable=True))
    reason: str | None = None


class IntentRow(BotTable, table=True):
    """What a payer asked for, through all its edits. `order_key` is the first id of the post's edit history, or the
    message's id: one order has one intent, so it pays at most once."""

    __tablename__ = "intents"
    __table_args__ = (
        UniqueConstraint("order_kind", "order_id", name="one_intent_for_an_order"),
        UniqueConstraint("reference", name="reference_is_unique"),
        _one_of("order_kind", "post", "message"),
        _one_of("state", "parked", "asking", "paid", "cancelled", "expired", "lapsed", "refused", "withdrawn"),
        CheckConstraint("(state = 'paid') = (journal_id IS NOT NULL)", name="paid_has_a_journal"),
        Index("ix_intents_open", "payer_id", sqlite_where=text("state IN ('parked', 'asking')"),
              postgresql_where=text("state IN ('parked', 'asking')")),
        Index("ix_intents_payer", "payer_id", "id"),
        Index("ix_intents_closed", "state", "closed_at"),
        Index("ix_intents_payer_closed", "payer_id", "closed_at"),
    )  # fmt: skip
    id: int = Field(sa_column=_id(primary=True))
    order_kind: str
    order_id: int = Field(sa_column=_id())
    reference: str
    payer_id: int = Field(sa_column=_id(foreign="people.user_id"))
    version: int = Field(sa_column=_id())
    """The X id of the version that counts: the highest one seen."""
    post_id: int | None = Field(default=None, sa_column=_id(nullable=True))
    total_minor: int = Field(sa_column=_id())
    fee_minor: int = Field(default=0, sa_column=_id())
    currency: str
    note_sealed: bytes | None = Field(default=None, sa_column=_sealed())
    state: str
    created_at: datetime = Field(sa_column=_instant())
    asked_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    closed_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    journal_id: int | None = Field(default=None, sa_column=_id(nullable=True))
    authorisation_id: int | None = Field(
        default=None, sa_column=_id(foreign="authorisations.id", nullable=True)
    )


class IntentLineRow(BotTable, table=True):
    """One payee and amount of one version of an intent; only the lines of the version that counts are ever paid."""

    __tablename__ = "intent_lines"
    __table_args__ = (
        UniqueConstraint("intent_id", "version", "position", name="ordered_lines"),
        UniqueConstraint("intent_id", "version", "payee_id", name="a_payee_once"),
        UniqueConstraint("transfer_id", name="one_line_for_a_transfer"),
        CheckConstraint("amount_minor > 0", name="amount_is_positive"),
        _one_of("state", "asked", "paid", "held", "undoable", "review", "cancelled", "declined", "expired", "returned", "refused"),
        CheckConstraint("(state = 'asked') = (transfer_id IS NULL)", name="moved_money_has_a_transfer"),
        CheckConstraint("state NOT IN ('held', 'undoable', 'review') OR due_at IS NOT NULL", name="held_has_an_end"),
        Index("ix_intent_lines_held", "payee_id", sqlite_where=text("state = 'held'"),
              postgresql_where=text("state = 'held'")),
        Index("ix_intent_lines_set_aside", "due_at", sqlite_where=text("state IN ('held', 'review', 'undoable')"),
              postgresql_where=text("state IN ('held', 'review', 'undoable')")),
        Index("ix_intent_lines_payee", "payee_id", "id"),
        Index("ix_intent_lines_username", "username_index", "payee_id",
              sqlite_where=text("username_index IS NOT NULL"), postgresql_where=text("username_index IS NOT NULL")),
    )  # fmt: skip
    id: int = Field(sa_column=_id(primary=True))
    intent_id: int = Field(sa_column=_id(foreign="intents.id"))
    version: int = Field(sa_column=_id())
    position: int
    payee_id: int = Field(sa_column=_id(foreign="people.user_id"))
    username_sealed: bytes | None = Field(default=None, sa_column=_sealed())
    """The handle the payer wrote, as it was then."""
    username_index: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    """None in lines that are older than this column."""
    amount_minor: int = Field(sa_column=_id())
    state: str = "asked"
    transfer_id: int | None = Field(default=None, sa_column=_id(nullable=True))
    settled_id: int | None = Field(default=None, sa_column=_id(nullable=True))
    """The transfer that posted, voided, expired or reversed it."""
    due_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))


class ChallengeRow(BotTable, table=True):
    """One question put to a payer over one version of an intent. The code is not here: it is computed."""

    __tablename__ = "challenges"
    __table_args__ = (
        UniqueConstraint("intent_id", "version", name="one_challenge_for_a_version"),
        _one_of("state", "queued", "open", "answered", "superseded", "closed"),
        CheckConstraint("state = 'queued' OR state = 'closed' OR state = 'superseded' OR nonce IS NOT NULL",
                        name="an_open_one_was_issued"),
        Index("ix_challenges_payer", "payer_id", "state"),
        Index("ix_challenges_open", "created_at", sqlite_where=text("state IN ('queued', 'open')"),
              postgresql_where=text("state IN ('queued', 'open')")),
        Index("uq_challenges_letter", "payer_id", "letter", unique=True,
              sqlite_where=text("state IN ('queued', 'open')"), postgresql_where=text("state IN ('queued', 'open')")),
    )  # fmt: skip
    id: int = Field(sa_column=_id(primary=True))
    intent_id: int = Field(sa_column=_id(foreign="intents.id"))
    version: int = Field(sa_column=_id())
    payer_id: int = Field(sa_column=_id(foreign="people.user_id"))
    letter: str
    state: str = "queued"
    created_at: datetime = Field(sa_column=_instant())
    nonce: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    key_id: str | None = None
    issued_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    expires_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))


class AuthorisationRow(BotTable, table=True):
    """Why a wallet was debited: one row names one cause, and its MAC binds it to exactly the transfers it allowed."""

    __tablename__ = "authorisations"
    __table_args__ = (
        _one_of("kind", "answer", "page", "trusted", "low_value", "return", "admin", "card"),
        UniqueConstraint("kind", "evidence", name="one_authorisation_for_a_cause"),
    )
    id: int = Field(sa_column=_id(primary=True))
    kind: str
    evidence: int = Field(sa_column=_id())
    """What said so: the X id of the payer's message or of an exempt order, the challenge answered on a page, the admin's
    recorded action, the transfer that settles what a card took back."""
    person_id: int = Field(sa_column=_id(foreign="people.user_id"))
    intent_id: int | None = Field(default=None, sa_column=_id(nullable=True))
    version: int | None = Field(default=None, sa_column=_id(nullable=True))
    created_at: datetime = Field(sa_column=_instant())
    key_id: str
    mac: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class AdminActionRow(BotTable, table=True):
    """What an admin did, to what, and why. Only ever added; triggers refuse the rest."""

    __tablename__ = "admin_actions"
    __table_args__ = (
        _one_of("channel", "command", "page"),
        CheckConstraint("length(actor) BETWEEN 1 AND 64", name="actor_is_named"),
        Index("ix_admin_actions_subject", "subject", "id"),
    )
    id: int = Field(sa_column=_id(primary=True))
    at: datetime = Field(sa_column=_instant())
    actor: str
    channel: str
    action: str
    subject: str
    """Kind and id: `inbox 7`, `person 7`, `payment P-7K3F9Q`."""
    reason_sealed: bytes | None = Field(default=None, sa_column=_sealed())
    facts: str
    """JSON of ids, codes and numbers; never words of people."""


class CursorRow(BotTable, table=True):
    """How far a list of X's has been read without a gap, and when that was."""

    __tablename__ = "cursors"
    name: str = Field(primary_key=True)
    x_id: int = Field(sa_column=_id())
    read_at: datetime = Field(sa_column=_instant())


class BookRow(BotTable, table=True):
    """What this database is: one row. A demo book is marked at its birth and holds test money for ever."""

    __tablename__ = "book"
    __table_args__ = (CheckConstraint("single = 1", name="there_is_one"),)
    single: int = Field(default=1, primary_key=True)
    is_demo: bool
    created_at: datetime = Field(sa_column=_instant())
    bot_user_id: int | None = Field(default=None, sa_column=_id(nullable=True))


class RestoreRow(BotTable, table=True):
    """That this book came out of a backup made at `made_at`. Payments are paused until it was reconciled with X."""

    __tablename__ = "restores"
    __table_args__ = (
        CheckConstraint(
            "reconciled_at IS NULL OR reconciled_at >= restored_at", name="reconciled_after_it_was_restored"
        ),
    )
    id: int = Field(sa_column=_id(primary=True))
    made_at: datetime = Field(sa_column=_instant())
    restored_at: datetime = Field(sa_column=_instant())
    reconciled_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    manifest: str
    """JSON: what the backup said of itself (`bot.keeping.manifest`)."""


class HouseAccountRow(BotTable, table=True):
    """Which ledger account is which of the operator's own: one of each kind and currency."""

    __tablename__ = "house_accounts"
    code: str = Field(primary_key=True)
    currency: str = Field(primary_key=True)
    account_id: int = Field(sa_column=_id())
