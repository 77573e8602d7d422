"""Top-ups by card: what was asked for, the processor's page it became, and what was booked for it.

No card's number is here, nor anywhere else in this program. Money is in the ledger; these rows point at it.
"""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, UniqueConstraint, text
from sqlmodel import Field

from bot.store.columns import BotTable, big_id, instant, one_of


class TopUpRow(BotTable, table=True):
    """One top-up. `due_at` is when the processor is asked next: for a page, or what has become of it; None is never."""

    __tablename__ = "top_ups"
    __table_args__ = (
        UniqueConstraint("asked_in", name="one_top_up_for_a_message"),
        one_of("state", "asked", "open", "pending", "paid", "failed", "set_aside"),
        CheckConstraint("amount_minor > 0", name="tops_up_something"),
        CheckConstraint("fee_minor IS NULL OR fee_minor >= 0", name="a_fee_is_no_gift"),
        CheckConstraint("(state = 'paid') = (transfer_id IS NOT NULL)", name="paid_is_booked"),
        CheckConstraint("state IN ('asked', 'failed') OR checkout_id IS NOT NULL", name="open_has_a_page"),
        Index("ix_top_ups_due", "due_at", sqlite_where=text("due_at IS NOT NULL"),
              postgresql_where=text("due_at IS NOT NULL")),
        Index("ix_top_ups_set_aside", "id", sqlite_where=text("state = 'set_aside'"),
              postgresql_where=text("state = 'set_aside'")),
        Index("ix_top_ups_payment", "payment_id"),
        Index("ix_top_ups_person", "person_id", "asked_at"),
    )  # fmt: skip
    id: int = Field(sa_column=big_id(primary=True))
    reference: str = Field(unique=True)
    """As `T-7K3F9Q`; what the processor knows it by."""
    person_id: int = Field(sa_column=big_id(foreign="people.user_id"))
    asked_in: int = Field(sa_column=big_id())
    """X's id of the message or post; below zero for one that was asked for on the page."""
    amount_minor: int = Field(sa_column=big_id())
    currency: str
    language: str
    state: str = "asked"
    checkout_id: str | None = Field(default=None, unique=True)
    payment_id: str | None = None
    fee_minor: int | None = Field(default=None, sa_column=big_id(nullable=True))
    """What the processor keeps of it; the operator's expense."""
    transfer_id: int | None = Field(default=None, sa_column=Column(BigInteger, unique=True, nullable=True))
    fee_transfer_id: int | None = Field(
        default=None, sa_column=Column(BigInteger, unique=True, nullable=True)
    )
    asked_at: datetime = Field(sa_column=instant())
    expires_at: datetime = Field(sa_column=instant())
    hints: int = 0
    """How often the processor said that something happened."""
    looks: int = 0
    due_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    finished_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    reason: str | None = None
    """Why it was set aside."""


class CardMovementRow(BotTable, table=True):
    """One change of what the processor holds for us, as it told it, and what was booked for it. Only ever added, and booked
    once."""

    __tablename__ = "card_movements"
    __table_args__ = (
        one_of("kind", "charge", "return", "payout", "fee", "other"),
        one_of("state", "open", "booked"),
        Index("ix_card_movements_open", "id", sqlite_where=text("state = 'open'"),
              postgresql_where=text("state = 'open'")),
        Index("ix_card_movements_at", "happened_at"),
        Index("ix_card_movements_payment", "payment_id"),
    )  # fmt: skip
    id: int = Field(sa_column=big_id(primary=True))
    movement_id: str = Field(unique=True)
    """The processor's own name of it."""
    kind: str
    amount_minor: int = Field(sa_column=big_id())
    """Below zero where the processor holds less of ours."""
    fee_minor: int = Field(sa_column=big_id())
    currency: str
    payment_id: str = ""
    happened_at: datetime = Field(sa_column=instant())
    seen_at: datetime = Field(sa_column=instant())
    state: str = "open"
    transfer_id: int | None = Field(default=None, sa_column=Column(BigInteger, unique=True, nullable=True))
