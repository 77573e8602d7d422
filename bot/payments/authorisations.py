"""Why a wallet may be debited, sealed to exactly the transfers it allowed.

Every debit of a wallet names one authorisation (the ledger's database refuses one without), and the authorisation
carries a MAC over those transfers. So a transfer forged in the database, or one of a true authorisation changed, is
found by the audit without trusting the database.
"""

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import TypeAlias, TypeVar

from sqlmodel import Session, col, select

from bot.encoding import encode
from bot.keys import Keyring, Purpose, UnknownKey
from bot.store.tables import AuthorisationRow
from ledger.clock import Clock, IdSource
from ledger.tables import TransferRow
from ledger.transfers import Kind, Transfer

ENCODING = "smoney-authorisation-1"


class Cause(StrEnum):
    """Why a wallet may be debited, and what is its evidence."""

    ANSWER = "answer"
    """The payer's right answer; the X id of their message."""
    PAGE = "page"
    """The payer's answer on the page, with a code of their second factor; the id of the challenge."""
    TRUSTED = "trusted"
    """Exempt, since every payee is one the payer trusts; the X id of the order."""
    LOW_VALUE = "low_value"
    """Exempt, since it is small and few were before it; the X id of the order."""
    RETURN = "return"
    """The payee's own return of what came; the X id of their message."""
    ADMIN = "admin"
    """An action of an admin's; the id under which it is recorded."""
    CARD = "card"
    """Their card took back what they had put in; the id of the transfer itself."""


@dataclass(frozen=True, slots=True)
class Named:
    """What of an authorisation comes from X."""

    person_id: int
    evidence: int
    version: int | None


Moved: TypeAlias = tuple[int, str, int, int, int, str]
"""What a MAC covers of a transfer: id, kind, debit account, credit account, minor units, currency."""


class Authorisations:
    def __init__(self, *, keyring: Keyring, clock: Clock, ids: IdSource) -> None:
        self._keyring = keyring
        self._clock = clock
        self._ids = ids

    def begin(self) -> int:
        """The id the transfers will name; `grant` writes the row once they are known."""
        return self._ids()

    def grant(
        self,
        session: Session,
        authorisation_id: int,
        transfers: Sequence[Transfer],
        *,
        cause: Cause,
        evidence: int,
        person_id: int,
        intent_id: int | None = None,
        version: int | None = None,
    ) -> None:
        """Writes down who said so (`evidence` as `cause` says) and binds it to these transfers."""
        row = AuthorisationRow(
            id=authorisation_id,
            kind=cause,
            evidence=evidence,
            person_id=person_id,
            intent_id=intent_id,
            version=version,
            created_at=self._clock(),
            key_id=self._keyring.current_id,
            mac=b"",
        )
        row.mac = self._mac(row, [_moved(transfer) for transfer in transfers])
        session.add(row)
        session.flush()

    def rename(
        self, session: Session, row: AuthorisationRow, named: Named, *, journals: Iterable[int]
    ) -> bool:
        """The same authorisation under stand-ins of X's ids, its MAC made anew; False, and nothing done, for a forged
        one. Only for somebody who is erased: the database lets an id become a stand-in and nothing else. `journals` are
        those among which what it moved is looked for: nothing else finds it without reading the whole book."""
        there = _moved_in(session, sorted(set(journals)))
        moved = [each for (which, _), some in there.items() if which == row.id for each in some]
        if self._problem(row, moved):
            return False
        row.person_id, row.evidence, row.version = named.person_id, named.evidence, named.version
        row.key_id = self._keyring.current_id
        row.mac = self._mac(row, moved)
        session.add(row)
        session.flush()
        return True

    def _mac(self, row: AuthorisationRow, moved: Sequence[Moved]) -> bytes:
        key = self._keyring.derive(Purpose.AUTHORISATION_MAC, row.key_id)
        return hmac.new(key, _canonical(row, moved), hashlib.sha256).digest()

    def forged(self, session: Session) -> Iterator[str]:
        """For the audit: what does not hold, one sentence each. Streams both tables in the order of authorisations."""
        allowed = _by_authorisation(session)
        pending = next(allowed, None)
        for row in session.exec(select(AuthorisationRow).order_by(col(AuthorisationRow.id))):
            while pending is not None and pending[0] < row.id:
                yield _unknown(pending)
                pending = next(allowed, None)
            moved: list[Moved] = []
            if pending is not None and pending[0] == row.id:
                moved, pending = pending[1], next(allowed, None)
            if problem := self._problem(row, moved):
                yield problem
        while pending is not None:
            yield _unknown(pending)
            pending = next(allowed, None)

    def wrong_among(self, session: Session, first: int, last: int) -> Iterator[int]:
        """The ids of authorisations that do not hold, of those named by transfers of this range of ids. What one
        authorisation allowed was booked in one journal, so no more than the journals of the range are read."""
        named = _journals_of(session, first, last)
        moved = _moved_in(session, sorted({journal for _, journal in named}))
        rows = {
            row.id: row for row in _with_ids(session, AuthorisationRow, sorted({which for which, _ in named}))
        }
        for each in sorted(named):
            row = rows.get(each[0])
            if row is None or self._problem(row, moved.get(each, [])):
                yield each[0]

    def _problem(self, row: AuthorisationRow, moved: list[Moved]) -> str | None:
        if not moved:
            return f"authorisation {row.id} allowed a transfer that is not there"
        try:
            genuine = hmac.compare_digest(row.mac, self._mac(row, moved))
        except UnknownKey:
            return f"authorisation {row.id} was made with key {row.key_id}, which is not among the keys given"
        return None if genuine else f"authorisation {row.id} does not fit the transfers that name it"


def _moved(transfer: Transfer) -> Moved:
    return (
        transfer.id,
        transfer.kind.value,
        transfer.debit_account_id,
        transfer.credit_account_id,
        transfer.amount.amount_minor,
        transfer.amount.currency.code,
    )


def _moved_row(row: TransferRow) -> Moved:
    return (
        row.id,
        row.kind,
        row.debit_account_id,
        row.credit_account_id,
        row.amount_minor,
        row.currency,
    )


def _by_authorisation(session: Session) -> Iterator[tuple[int, list[Moved]]]:
    """What was moved under each authorisation, in the order of their ids. A pending transfer that is posted later was
    allowed when it was made; the ledger itself holds the posting to it."""
    rows = session.exec(
        select(TransferRow)
        .where(col(TransferRow.authorisation_id).is_not(None))
        .where(col(TransferRow.kind).in_((Kind.POSTED.value, Kind.PENDING.value)))
        .order_by(col(TransferRow.authorisation_id), col(TransferRow.id))
        .execution_options(yield_per=1000)
    )
    for authorisation_id, group in groupby(rows, key=lambda row: row.authorisation_id):
        yield (
            authorisation_id or 0,
            [_moved_row(row) for row in group],
        )


_ALLOWED = (Kind.POSTED.value, Kind.PENDING.value)
MOST_AT_ONCE = 500


def _journals_of(session: Session, first: int, last: int) -> set[tuple[int, int]]:
    """The authorisations named by transfers of a range, each with the journal that names it."""
    rows = session.exec(
        select(TransferRow.authorisation_id, TransferRow.journal_id)
        .where(col(TransferRow.id).between(first, last), col(TransferRow.authorisation_id).is_not(None))
        .where(col(TransferRow.kind).in_(_ALLOWED))
        .distinct()
    )
    return {(authorisation_id or 0, journal_id) for authorisation_id, journal_id in rows}


def _moved_in(session: Session, journals: Sequence[int]) -> dict[tuple[int, int], list[Moved]]:
    """What these journals moved, by authorisation and journal. A journal bears the id of its first transfer."""
    found: dict[tuple[int, int], list[Moved]] = {}
    for start in range(0, len(journals), MOST_AT_ONCE):
        some = journals[start : start + MOST_AT_ONCE]
        further = col(TransferRow.journal_id).in_(some), col(TransferRow.journal_id) != col(TransferRow.id)
        for rows in (
            _with_ids(session, TransferRow, some),
            session.exec(select(TransferRow).where(*further)),
        ):
            for row in rows:
                if row.kind in _ALLOWED and row.authorisation_id is not None:
                    found.setdefault((row.authorisation_id, row.journal_id), []).append(_moved_row(row))
    return found


Row = TypeVar("Row", AuthorisationRow, TransferRow)


def _with_ids(session: Session, table: type[Row], ids: Sequence[int]) -> list[Row]:
    return [
        row
        for start in range(0, len(ids), MOST_AT_ONCE)
        for row in session.exec(select(table).where(col(table.id).in_(ids[start : start + MOST_AT_ONCE])))
    ]


def _unknown(named: tuple[int, list[Moved]]) -> str:
    return f"transfer {named[1][0][0]} names authorisation {named[0]}, which is not there"


def _canonical(row: AuthorisationRow, moved: Sequence[Moved]) -> bytes:
    return encode(
        ENCODING,
        row.id,
        row.kind,
        row.evidence,
        row.person_id,
        row.intent_id,
        row.version,
        row.created_at,
        row.key_id,
        len(moved),
        *(value for each in sorted(moved) for value in each),
    )
