"""The checks of the self-check that are about money: the ledger, who allowed what, what is owed, and the seals.

Each costs about the same however large the book is: it looks at what is new, and at one more part of what is old. So every
row comes round; what needs the whole book at once is `auditing.verify`, once a day.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from sqlalchemy import bindparam, text

from bot.payments.wallets import HELD, OWED
from bot.watching.looks import Look
from bot.watching.names import Alarm, Found
from ledger.audit import Finding
from ledger.clock import first_id_at, instant_of
from ledger.reports import coverage
from ledger.seal_faults import faults_of_one
from ledger.seals import LAG
from ledger.spot_checks import accounts_from, check_accounts, check_sums, check_transfers, transfers_from

TRANSFERS_AT_ONCE: Final = 5_000
TIMES_IN_ONE_LOOK: Final = 10
ACCOUNTS_AT_ONCE: Final = 1_000
SUMS_EVERY: Final = timedelta(minutes=15)
"""How often debits are held against credits over all accounts."""


def new_transfers(look: Look) -> Iterator[Found]:
    """What was booked since the last look, and again what is so young that something may still commit before it."""
    place = look.place
    if place.transfer is None:
        place.transfer = int(look.session.connection().execute(text(_SEALED_UP_TO)).scalar() or 0)
    first, settled = place.transfer, first_id_at(look.now - LAG)
    for _ in range(TIMES_IN_ONE_LOOK):
        looked_at = transfers_from(look.session, first, most=TRANSFERS_AT_ONCE)
        if looked_at.last is None:
            return
        yield from _broken(check_transfers(look.session, looked_at))
        for wrong in look.authorisations.wrong_among(look.session, looked_at.first, looked_at.last):
            yield Found(Alarm.AUTHORISATION_FORGED, {"authorisation": wrong})
        first = looked_at.last + 1
        place.transfer = max(place.transfer, min(first, settled))


def some_accounts(look: Look) -> Iterator[Found]:
    """The next accounts in the round: each against its last transfer, none overdrawn."""
    looked_at = accounts_from(look.session, look.place.account, most=ACCOUNTS_AT_ONCE)
    yield from _broken(check_accounts(look.session, looked_at))
    look.place.account = 0 if looked_at.is_last or looked_at.last is None else looked_at.last + 1


def covered(look: Look) -> Iterator[Found]:
    """What is owed against what is held, by the few accounts of the operator's own, and what people owe. As debits equal credits, what people
    are owed is what those accounts are worth together, and so what does not cover it is what they are worth without
    the held money."""
    query = text(_BESIDE_WHAT_IS_HELD).bindparams(bindparam("counted", expanding=True))
    for currency, lacking in look.session.connection().execute(query, {"counted": [*HELD, *OWED]}):
        if int(lacking) > 0:
            yield Found(Alarm.MONEY_NOT_COVERED, {"currency": currency, "lacking_minor": int(lacking)})


def sums(look: Look) -> Iterator[Found]:
    """Now and then over all accounts: debits against credits, and owed against held once more."""
    if look.place.sums_at is not None and look.now - look.place.sums_at < SUMS_EVERY:
        return
    look.place.sums_at = look.now
    yield from _broken(check_sums(look.session))
    for each in coverage(look.session, owed=OWED, held=HELD):
        if each.surplus_minor < 0:
            yield Found(
                Alarm.MONEY_NOT_COVERED,
                {"currency": each.currency.code, "lacking_minor": -each.surplus_minor},
            )


def seals(look: Look) -> Iterator[Found]:
    """The newest seal once it is there, and the next older one in the round."""
    newest = look.figures.seal
    if newest is None:
        return
    place = look.place
    wanted = [newest.number] if newest.number != place.newest_seal else []
    place.newest_seal = newest.number
    place.seal = place.seal + 1 if place.seal < newest.number else 1
    for number in dict.fromkeys((*wanted, place.seal)):
        for fault in faults_of_one(look.session, number, look.public_keys):
            yield Found(Alarm.SEAL_BROKEN, {"what": fault.what, "where": fault.where})


def seals_in_time(look: Look) -> Iterator[Found]:
    """No transfer waits longer for its seal than it should."""
    oldest = look.session.connection().execute(text(_OLDEST_UNSEALED)).first()
    if oldest is not None and look.waited(instant_of(oldest[1])) > look.bounds.seal_late:
        yield Found(Alarm.SEAL_LATE, {"transfer": oldest[0]})


def _broken(findings: list[Finding]) -> Iterator[Found]:
    for finding in findings:
        yield Found(Alarm.LEDGER_BROKEN, {"what": finding.what, "where": finding.where})


CHECKS: Final = (new_transfers, some_accounts, covered, sums, seals, seals_in_time)

_SEALED_UP_TO = "SELECT through_id FROM ledger_seal ORDER BY number DESC LIMIT 1"
_OLDEST_UNSEALED = f"""
SELECT id, booked_at FROM ledger_transfer WHERE id >= coalesce(({_SEALED_UP_TO}), 0) ORDER BY id LIMIT 1
"""  # noqa: S608 (words of ours)
_BESIDE_WHAT_IS_HELD = """
SELECT currency, sum(debits_posted - credits_posted) FROM (
    SELECT a.currency, a.debits_posted, a.credits_posted
    FROM house_accounts AS h JOIN ledger_account AS a ON a.id = h.account_id WHERE h.code NOT IN :counted
    UNION ALL
    SELECT a.currency, a.debits_posted, a.credits_posted
    FROM people AS p JOIN ledger_account AS a ON a.id = p.debt_id WHERE p.debt_id IS NOT NULL
) AS beside GROUP BY currency
"""
