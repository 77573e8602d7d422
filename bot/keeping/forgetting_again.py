"""A restored book knows people who were erased since its backup: they are forgotten again, before anything is worked.

Whom that book owes money (they had spent it since the backup) keeps the wallet, and an admin is told; all else of theirs
goes. Which they were is told by the list kept in the home directory (`bot.people.erasure_list`): put the newest one there
before you restore on another machine.
"""

import os

from sqlalchemy import update
from sqlmodel import Session, col, select

from bot.errors import Misconfigured
from bot.keys import keyring_from
from bot.payments.authorisations import Authorisations
from bot.payments.wallets import Wallets
from bot.people.erasure_list import ErasureList, Listed
from bot.people.erasures import Erasures
from bot.people.forgetting import Forgetting
from bot.people.people import People
from bot.settings import Settings
from bot.store.control_tables import ErasureRow
from bot.store.tables import OutboxRow, PersonRow
from bot.store.vault import Vault
from bot.wiring import erasure_file
from bot.x.gateway import UserId
from ledger.book import Ledger
from ledger.clock import Clock, IdSource
from ledger.database import Database


def forget_again(database: Database, settings: Settings, clock: Clock) -> tuple[int, tuple[str, ...]]:
    """How many were forgotten again, and what is left to an admin. Raises `Misconfigured` for a list that is none."""
    keyring = keyring_from(settings)
    vault, ids = Vault(keyring, os.urandom), IdSource(clock, os.urandom)
    wallets = Wallets(ledger=Ledger(clock=clock, ids=ids), ids=ids)
    authorisations = Authorisations(keyring=keyring, clock=clock, ids=ids)
    people, erasures = People(vault=vault, ids=ids), Erasures(vault)
    forgetting = Forgetting(people, erasures, wallets, authorisations, clock, ids)
    file = erasure_file(settings)
    try:
        listed = list(ErasureList(file, clock).read())
    except (ValueError, KeyError, TypeError):
        raise Misconfigured(
            str(file), "is not the list of erasures.", example="the newest copy of it"
        ) from None

    def work(session: Session) -> tuple[int, tuple[str, ...]]:
        known = {(row.person_hash, row.erased_at) for row in session.exec(select(ErasureRow))}
        missing = {
            one.person_hash: one for one in listed if (one.person_hash, one.erased_at) not in known
        }.values()
        found = [
            (person, one) for person in _people(session) for one in missing if _is(erasures, person, one)
        ]
        left = [said for person, one in found if (said := _forget(session, forgetting, person, one))]
        return len(found) - len(left), tuple(left)

    return database.write(work)


def _people(session: Session) -> list[PersonRow]:
    return list(session.exec(select(PersonRow).where(col(PersonRow.user_id) > 0)))


def _is(erasures: Erasures, person: PersonRow, listed: Listed) -> bool:
    return erasures.is_of(UserId(person.user_id), listed.person_hash)


def _forget(session: Session, forgetting: Forgetting, person: PersonRow, listed: Listed) -> str | None:
    """None where it is done; else what keeps it from being done whole. Nothing more is said to them."""
    unsaid = col(OutboxRow.person_id) == person.user_id, col(OutboxRow.state).in_(("waiting", "unknown"))
    session.exec(update(OutboxRow).where(*unsaid).values(state="dropped"))
    if person.wallet_id is not None:
        balance = forgetting.wallets.balance(session, person)
        if any(money.amount_minor for money in (balance.posted, balance.held, balance.incoming)):
            forgetting.wipe(session, person, said_at=listed.erased_at)
            return (
                f"person {person.user_id} was erased since the backup, and this book owes them money again: "
                "their names and words are gone, the wallet stays"
            )
    forgetting.forget(session, person, said_at=listed.erased_at)
    return None
