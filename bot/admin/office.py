"""Puts the admin's rooms together for a command, which needs neither X nor a daemon."""

from dataclasses import dataclass

from bot.admin.admins import Admins
from bot.admin.handing_out import HandingOut
from bot.admin.log import AuditLog
from bot.admin.members import Members
from bot.admin.queues import Queues
from bot.admin.stories import Stories
from bot.keys import keyring_from
from bot.people.erasures import Erasures
from bot.people.own_data import OwnData
from bot.people.people import People
from bot.settings import Settings
from bot.store.inbox import Inbox
from bot.store.outbox import Outbox
from bot.store.vault import Vault
from bot.wiring import World
from ledger.clock import IdSource


@dataclass(frozen=True, slots=True)
class Office:
    log: AuditLog
    queues: Queues
    outbox: Outbox
    stories: Stories
    members: Members
    handing_out: HandingOut
    admins: Admins


def open_office(settings: Settings, world: World | None = None) -> Office:
    """Raises `Misconfigured` without the keys: what people wrote could not be opened, nor a reason be kept."""
    outside = world or World()
    clock, ids = outside.clock, IdSource(outside.clock, outside.entropy)
    vault = Vault(keyring_from(settings), outside.entropy)
    log = AuditLog(vault=vault, clock=clock, ids=ids)
    people = People(vault=vault, ids=ids, language=settings.language)
    outbox = Outbox(people=people, vault=vault, clock=clock, ids=ids)
    inbox = Inbox(people=people, erasures=Erasures(vault), vault=vault, clock=clock, ids=ids)
    members = Members(people=people, vault=vault, log=log)
    return Office(
        log=log,
        queues=Queues(vault=vault, outbox=outbox, log=log, clock=clock),
        outbox=outbox,
        stories=Stories(people=people, inbox=inbox, outbox=outbox, vault=vault),
        members=members,
        handing_out=HandingOut(members, OwnData(people, vault, clock), log),
        admins=Admins(log, clock, ids, outside.entropy),
    )
