"""The rows an operator runs the bot with: switches, admins and their sessions, money that two people move, what the bank says
of it, alarms."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field

from bot.store.columns import BotTable, big_id, instant, one_of, sealed


class SwitchRow(BotTable, table=True):
    """Something that is halted now: the row is there while it is. Who did it and why stands in the audit log."""

    __tablename__ = "switches"
    __table_args__ = (one_of("name", "payments_paused", "sends_paused", "winding_down"),)
    name: str = Field(primary_key=True)
    since: datetime = Field(sa_column=instant())
    set_by: str
    """An admin's name, or `self-check`."""


class AdminRow(BotTable, table=True):
    """One who may do something here. A name is given once and never again, so that the audit log stays true."""

    __tablename__ = "admins"
    __table_args__ = (
        UniqueConstraint("name", name="a_name_once"),
        CheckConstraint("length(name) BETWEEN 1 AND 40", name="name_fits"),
        one_of("role", "read", "support", "treasurer", "owner"),
        CheckConstraint("wrong_tries >= 0 AND locks >= 0", name="tries_are_not_negative"),
        CheckConstraint("(invite_hash IS NULL) = (invite_expires_at IS NULL)", name="an_invite_ends"),
        Index("uq_admins_login", "login", unique=True,
              sqlite_where=text("ended_at IS NULL AND login IS NOT NULL"),
              postgresql_where=text("ended_at IS NULL AND login IS NOT NULL")),
    )  # fmt: skip
    id: int = Field(sa_column=big_id(primary=True))
    name: str
    role: str
    login: str | None = None
    """The system's user whose commands are theirs."""
    password_hash: str | None = None
    """Argon2id, in the PHC string form. None until they have set one."""
    secret_sealed: bytes | None = Field(default=None, sa_column=sealed())
    """Of their authenticator app."""
    used_step: int | None = Field(default=None, sa_column=big_id(nullable=True))
    invite_hash: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    """Of the word with which they set password and app; good once."""
    invite_expires_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    wrong_tries: int = 0
    locks: int = 0
    locked_until: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    added_at: datetime = Field(sa_column=instant())
    ended_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))


class AdminSessionRow(BotTable, table=True):
    """A browser an admin is signed in on."""

    __tablename__ = "admin_sessions"
    __table_args__ = (
        Index("ix_admin_sessions_secret", "secret_hash", unique=True),
        Index("ix_admin_sessions_admin", "admin_id"),
    )
    id: int = Field(sa_column=big_id(primary=True))
    admin_id: int = Field(sa_column=big_id(foreign="admins.id"))
    secret_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    created_at: datetime = Field(sa_column=instant())
    seen_at: datetime = Field(sa_column=instant())
    ended_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))


class ProposalRow(BotTable, table=True):
    """Money that admins move: put in, paid out, given back. Where `needs_second`, one proposes and another one approves;
    the table itself refuses that both are the same."""

    __tablename__ = "proposals"
    __table_args__ = (
        one_of("kind", "fund", "payout", "refund", "operator_fund"),
        one_of("state", "open", "done", "refused", "expired"),
        CheckConstraint("amount_minor > 0", name="amount_is_positive"),
        CheckConstraint("(kind = 'operator_fund') = (person_id IS NULL)", name="somebodys_money"),
        CheckConstraint("(kind = 'refund') = (line_id IS NOT NULL)", name="a_refund_of_something"),
        CheckConstraint("(state = 'open') = (decided_at IS NULL)", name="decided_has_a_time"),
        CheckConstraint("(state = 'done') = (transfer_id IS NOT NULL)", name="done_moved_money"),
        CheckConstraint("state <> 'done' OR NOT needs_second OR decided_by <> proposed_by", name="two_people"),
        Index("uq_proposals_reference", "kind", "reference_index", unique=True,
              sqlite_where=text("state IN ('open', 'done') AND reference_index IS NOT NULL"),
              postgresql_where=text("state IN ('open', 'done') AND reference_index IS NOT NULL")),
        Index("uq_proposals_line", "line_id", unique=True,
              sqlite_where=text("state IN ('open', 'done') AND line_id IS NOT NULL"),
              postgresql_where=text("state IN ('open', 'done') AND line_id IS NOT NULL")),
        Index("ix_proposals_open", "proposed_at", sqlite_where=text("state = 'open'"),
              postgresql_where=text("state = 'open'")),
        Index("ix_proposals_person", "person_id", "id"),
        Index("ix_proposals_amount", "kind", "amount_minor", "id"),
    )  # fmt: skip
    id: int = Field(sa_column=big_id(primary=True))
    kind: str
    person_id: int | None = Field(default=None, sa_column=big_id(foreign="people.user_id", nullable=True))
    line_id: int | None = Field(default=None, sa_column=big_id(foreign="intent_lines.id", nullable=True))
    amount_minor: int = Field(sa_column=big_id())
    currency: str
    from_loss: bool = False
    """Whether a refund is met by the operator, since its payee has spent the money."""
    why_sealed: bytes | None = Field(default=None, sa_column=sealed())
    """The admin's words: of a refund, what both sides are told."""
    reference_sealed: bytes | None = Field(default=None, sa_column=sealed())
    """The bank's own name of its transfer."""
    reference_index: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    """The bank's transfer counts once: a keyed hash of its name."""
    needs_second: bool
    proposed_by: str
    proposed_at: datetime = Field(sa_column=instant())
    state: str = "open"
    decided_by: str | None = None
    decided_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    transfer_id: int | None = Field(default=None, sa_column=big_id(nullable=True))


class BankLineRow(BotTable, table=True):
    """One booked line of the bank's statements. What the bank said never changes; which proposal it belongs to is found out."""

    __tablename__ = "bank_lines"
    __table_args__ = (
        one_of("form", "camt053", "csv"),
        one_of("state", "open", "proposed", "matched", "ignored"),
        CheckConstraint("length(booked_on) = 10", name="booked_on_is_a_day"),
        CheckConstraint("amount_minor <> 0", name="amount_is_not_zero"),
        CheckConstraint("(state IN ('proposed', 'matched')) = (proposal_id IS NOT NULL)", name="matched_with_something"),
        Index("uq_bank_lines_facts", "facts_index", unique=True),
        Index("uq_bank_lines_proposal", "proposal_id", unique=True,
              sqlite_where=text("proposal_id IS NOT NULL"), postgresql_where=text("proposal_id IS NOT NULL")),
        Index("ix_bank_lines_state", "state", "booked_on", "id"),
        Index("ix_bank_lines_day", "booked_on", "id"),
    )  # fmt: skip
    id: int = Field(sa_column=big_id(primary=True))
    form: str
    booked_on: str
    """A day as the bank counts them, `2026-11-26`."""
    amount_minor: int = Field(sa_column=big_id())
    """What the account grew by; less than zero where money left it."""
    currency: str
    is_reversal: bool
    facts_sealed: bytes | None = Field(default=None, sa_column=sealed())
    """JSON of all that the bank said, and the how-manieth line of these very words it is. None once whose it was is erased."""
    facts_index: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    """A line is imported once: a keyed hash of its facts."""
    imported_at: datetime = Field(sa_column=instant())
    state: str = "open"
    proposal_id: int | None = Field(default=None, sa_column=big_id(foreign="proposals.id", nullable=True))


_UNTOLD = "raised_told_at IS NULL OR (cleared_at IS NOT NULL AND cleared_told_at IS NULL)"


class AlarmRow(BotTable, table=True):
    """Something the self-check found, from when it began until it was over."""

    __tablename__ = "alarms"
    __table_args__ = (
        Index("uq_alarms_open", "name", unique=True, sqlite_where=text("cleared_at IS NULL"),
              postgresql_where=text("cleared_at IS NULL")),
        Index("ix_alarms_raised", "raised_at"),
        Index("ix_alarms_untold", "raised_at", sqlite_where=text(_UNTOLD), postgresql_where=text(_UNTOLD)),
    )  # fmt: skip
    id: int = Field(sa_column=big_id(primary=True))
    name: str
    raised_at: datetime = Field(sa_column=instant())
    cleared_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    facts: str
    """JSON of ids, codes and numbers; never words of people."""
    raised_told_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    """When the webhook took the news that it was raised. None until then, and while there is no webhook."""
    cleared_told_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    """The same of its end; or the end itself, where there was nobody to tell."""
