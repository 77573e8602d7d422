"""Puts the admin's rooms together, for a command and for the pages: they need neither X nor a daemon."""

from dataclasses import dataclass

from bot.admin.admins import Admins
from bot.admin.bank import Bank
from bot.admin.bank_lines import BankLines
from bot.admin.bank_matching import Matching
from bot.admin.bank_reconciling import BankReconciling
from bot.admin.guarding import Guarding
from bot.admin.handing_out import HandingOut
from bot.admin.helping import Helping
from bot.admin.listing import Listing
from bot.admin.log import AuditLog
from bot.admin.looking import Looking
from bot.admin.members import Members
from bot.admin.proposals import proposals_of
from bot.admin.queues import Queues
from bot.admin.stories import Stories
from bot.admin.switching import Switching
from bot.admin.top_ups import TopUpDesk
from bot.admin.treasury import Treasury
from bot.funding.statements import bare_account
from bot.payments.house import House
from bot.payments.refunding import Refunding
from bot.payments.resuming import Resuming
from bot.payments.unlocking import Unlocking
from bot.rooms import rooms_of
from bot.settings import Settings
from bot.store.inbox import Inbox
from bot.store.outbox import Outbox
from bot.wiring import World
from ledger.money import Money


@dataclass(frozen=True, slots=True)
class Office:
    log: AuditLog
    admins: Admins
    queues: Queues
    outbox: Outbox
    stories: Stories
    members: Members
    listing: Listing
    handing_out: HandingOut
    guarding: Guarding
    switching: Switching
    treasury: Treasury
    bank: Bank
    bank_reconciling: BankReconciling
    helping: Helping
    looking: Looking
    top_ups: TopUpDesk


def open_office(settings: Settings, world: World | None = None) -> Office:
    """Raises `Misconfigured` without the keys: what people wrote could not be opened, nor a reason be kept."""
    outside = world or World()
    rooms = rooms_of(settings, clock=outside.clock, entropy=outside.entropy)
    people, outbox, vault, clock, ids = rooms.people, rooms.outbox, rooms.vault, rooms.clock, rooms.ids
    log = AuditLog(vault=vault, clock=clock, ids=ids)
    inbox = Inbox(people=people, erasures=rooms.erasures, vault=vault, clock=clock, ids=ids)
    listing = Listing(people)
    members = Members(people=people, vault=vault, log=log, listing=listing)
    house = House(rooms.ledger, rooms.wallets, rooms.authorisations)
    bank_lines, proposals = BankLines(vault, clock, ids), proposals_of(vault, clock, ids)
    treasury = Treasury(
        proposals=proposals,
        house=house,
        refunding=Refunding(
            rooms.ledger,
            house,
            rooms.claims,
            rooms.wallets,
            rooms.records,
            people,
            rooms.authorisations,
            outbox,
        ),
        spending=rooms.spending,
        members=members,
        people=people,
        records=rooms.records,
        outbox=outbox,
        log=log,
        refund_alone=Money(settings.refund_alone_minor, rooms.wallets.currency),
    )
    return Office(
        log=log,
        admins=Admins(log, clock, ids, rooms.entropy),
        queues=Queues(vault=vault, outbox=outbox, log=log, clock=clock),
        outbox=outbox,
        stories=Stories(people=people, inbox=inbox, outbox=outbox, vault=vault, proposals=proposals),
        members=members,
        listing=listing,
        handing_out=HandingOut(members, rooms.own_data, log),
        guarding=Guarding(
            members=members,
            people=people,
            factors=rooms.factors,
            unlocking=Unlocking(people, rooms.factors, outbox, clock),
            reviews=rooms.reviews,
            log=log,
            clock=clock,
        ),
        switching=Switching(
            log, Resuming(rooms.records, rooms.claims, rooms.wallets, people, outbox, clock), clock
        ),
        helping=Helping(members, rooms.freezing, rooms.spending, log),
        looking=Looking(log),
        top_ups=TopUpDesk(log),
        treasury=treasury,
        bank=Bank(bank_lines, Matching(proposals, vault), treasury, log, bare_account(settings.bank_account)),
        bank_reconciling=BankReconciling(bank_lines, proposals, rooms.wallets),
    )
