"""Who may do what: four roles, each of which may do all the one before it may, and every act there is. Pure.

An act is named in the audit log, and `AuditLog.record` asks here before it writes: what is not recorded cannot be done,
and what is recorded was allowed.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from bot.errors import SmoneyError


class Role(StrEnum):
    READ = "read"
    """Looks, and changes nothing."""
    SUPPORT = "support"
    """Helps people: unlocks, freezes, pauses, decides reviews, gives small payments back."""
    TREASURER = "treasurer"
    """Moves money in and out, with another one."""
    OWNER = "owner"
    """Says who may do what, lets payments go on, closes the service."""

    def may(self, act: str) -> bool:
        """Raises `KeyError` for an act nobody has thought of."""
        return _RANKS.index(self) >= _RANKS.index(ACTS[act])


_RANKS: Final = (Role.READ, Role.SUPPORT, Role.TREASURER, Role.OWNER)
ACTS: Final[Mapping[str, Role]] = {
    "member.look": Role.READ,
    "payment.look": Role.READ,
    "inbox.look": Role.READ,
    "outbox.look": Role.READ,
    "inbox.retry": Role.SUPPORT,
    "inbox.drop": Role.SUPPORT,
    "outbox.retry": Role.SUPPORT,
    "outbox.drop": Role.SUPPORT,
    "member.data": Role.SUPPORT,
    "member.note": Role.SUPPORT,
    "member.freeze": Role.SUPPORT,
    "member.thaw": Role.SUPPORT,
    "person.tier": Role.SUPPORT,
    "person.unlock": Role.SUPPORT,
    "person.end-factor": Role.SUPPORT,
    "review.release": Role.SUPPORT,
    "review.refuse": Role.SUPPORT,
    "refund.propose": Role.SUPPORT,
    "refund.approve": Role.TREASURER,
    "refund.refuse": Role.SUPPORT,
    "refund.alone": Role.SUPPORT,
    "fund.propose": Role.TREASURER,
    "fund.approve": Role.TREASURER,
    "fund.refuse": Role.TREASURER,
    "payout.propose": Role.TREASURER,
    "payout.approve": Role.TREASURER,
    "payout.refuse": Role.TREASURER,
    "operator_fund.propose": Role.TREASURER,
    "operator_fund.approve": Role.TREASURER,
    "operator_fund.refuse": Role.TREASURER,
    "proposal.lapse": Role.SUPPORT,
    "bank.import": Role.TREASURER,
    "bank.match": Role.TREASURER,
    "bank.ignore": Role.TREASURER,
    "top_up.close": Role.TREASURER,
    "payments.pause": Role.SUPPORT,
    "payments.resume": Role.OWNER,
    "sends.pause": Role.SUPPORT,
    "sends.resume": Role.SUPPORT,
    "wind-down.begin": Role.OWNER,
    "wind-down.end": Role.OWNER,
    "book.restore": Role.OWNER,
    "book.reconcile": Role.OWNER,
    "admin.add": Role.OWNER,
    "admin.role": Role.OWNER,
    "admin.invite": Role.OWNER,
    "admin.end": Role.OWNER,
}
"""Every act, and the least role that may do it."""


class Part(StrEnum):
    """What can be paused by itself."""

    PAYMENTS = "payments"
    SENDS = "sends"


class NotAllowed(SmoneyError):
    """This admin's role is not enough, or nobody knows them."""


def check(role: Role, act: str) -> None:
    """Raises `NotAllowed`."""
    if not role.may(act):
        raise NotAllowed(f"{act} needs the role {ACTS[act].value}; yours is {role.value}. Nothing was done.")
