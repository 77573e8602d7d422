"""Puts the admin's rooms together, for a command and for the pages: they need neither X nor a daemon."""

from dataclasses import dataclass

from bot.admin.admins import Admins
from bot.admin.guarding import Guarding
from bot.admin.handing_out import HandingOut
from bot.admin.log import AuditLog
from bot.admin.members import Members
from bot.admin.queues import Queues
from bot.admin.stories import Stories
from bot.admin.switching import Switching
from bot.keys import keyring_from
from bot.limits_file import limits_of
from bot.payments.asking import Asking
from bot.payments.authorisations import Authorisations
from bot.payments.claims import Claims
from bot.payments.records import Records
from bot.payments.resuming import Resuming
from bot.payments.reviews import Reviews
from bot.payments.spending import Spending
from bot.payments.unlocking import Unlocking
from bot.payments.wallets import Wallets
from bot.people.erasures import Erasures
from bot.people.locking import Locking
from bot.people.own_data import OwnData
from bot.people.people import People
from bot.people.second_factor import SecondFactors
from bot.settings import Settings
from bot.store.inbox import Inbox
from bot.store.outbox import Outbox
from bot.store.vault import Vault
from bot.wiring import World, rules_of
from ledger.book import Ledger
from ledger.clock import IdSource


@dataclass(frozen=True, slots=True)
class Office:
    log: AuditLog
    admins: Admins
    queues: Queues
    outbox: Outbox
    stories: Stories
    members: Members
    handing_out: HandingOut
    guarding: Guarding
    switching: Switching


def open_office(settings: Settings, world: World | None = None) -> Office:
    """Raises `Misconfigured` without the keys: what people wrote could not be opened, nor a reason be kept."""
    outside = world or World()
    clock, entropy = outside.clock, outside.entropy
    ids, keyring, rules = IdSource(clock, entropy), keyring_from(settings), rules_of(settings)
    vault = Vault(keyring, entropy)
    log = AuditLog(vault=vault, clock=clock, ids=ids)
    people = People(vault=vault, ids=ids, language=settings.language)
    outbox = Outbox(people=people, vault=vault, clock=clock, ids=ids)
    inbox = Inbox(people=people, erasures=Erasures(vault), vault=vault, clock=clock, ids=ids)
    locking = Locking(rules.wrong_answers_before_lock, rules.first_lock, rules.longest_lock)
    factors = SecondFactors(people, outbox, vault, clock, ids, entropy, "smoney", locking)
    records = Records(people=people, vault=vault, clock=clock, ids=ids, entropy=entropy)
    book = Ledger(clock=clock, ids=ids)
    wallets = Wallets(ledger=book, ids=ids)
    spending = Spending(records, wallets, people, factors, limits_of(settings), clock)
    authorisations = Authorisations(keyring=keyring, clock=clock, ids=ids)
    asking = Asking(records, people, outbox, keyring, rules, clock, entropy)
    claims = Claims(book, wallets, people, records, authorisations, spending, outbox, rules, clock)
    reviews = Reviews(records, asking, claims, people, outbox, rules, clock, ids)
    members = Members(people=people, vault=vault, log=log)
    return Office(
        log=log,
        admins=Admins(log, clock, ids, entropy),
        queues=Queues(vault=vault, outbox=outbox, log=log, clock=clock),
        outbox=outbox,
        stories=Stories(people=people, inbox=inbox, outbox=outbox, vault=vault),
        members=members,
        handing_out=HandingOut(members, OwnData(people, vault, clock), log),
        guarding=Guarding(
            people=people,
            vault=vault,
            factors=factors,
            unlocking=Unlocking(people, factors, outbox, clock),
            reviews=reviews,
            log=log,
            clock=clock,
        ),
        switching=Switching(log, Resuming(records, claims, wallets, people, outbox, clock), clock),
    )
