"""The composition root: plain constructor calls, and the only place where clock and randomness come in."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import make_url
from sqlmodel import Session

import bot.migrations
import ledger.migrations
from bot.book import admit_keys, bind, is_paused, open_book
from bot.cashier import Cashier
from bot.channels.courier import Courier
from bot.channels.together import Together
from bot.channels.waiting import Waiting
from bot.channels.wording import Wording
from bot.desk import Desk
from bot.errors import Misconfigured
from bot.funding.processor import Processor
from bot.obeying import Obeying
from bot.payments.authorisations import Authorisations
from bot.payments.card_book import CardBook
from bot.payments.changes import Changes
from bot.payments.exemptions import TrustedPayees
from bot.payments.house import House
from bot.payments.inquiries import Inquiries
from bot.payments.page_answers import PageAnswers
from bot.payments.records import Records
from bot.payments.reviews import Reviews
from bot.payments.story import Story
from bot.payments.sweep import Sweep
from bot.payments.topping_up import TopUps
from bot.payments.unlocking import Unlocking
from bot.payments.wallets import Wallets
from bot.people.controls import Controls
from bot.people.devices import Devices
from bot.people.enrolment import Enrolment
from bot.people.erasing import ASKED as ERASE
from bot.people.erasing import Erasing
from bot.people.erasure_list import ErasureList
from bot.people.forgetting import Forgetting
from bot.people.freezing import ASKED as THAW
from bot.people.freezing import Freezing
from bot.people.own_data import OwnData
from bot.people.people import People
from bot.people.questions import Questions
from bot.people.second_factor import SecondFactors
from bot.people.trusting import Trusting
from bot.rooms import Rooms, rooms_of
from bot.settings import Settings
from bot.store import leases
from bot.store.inbox import Inbox
from bot.store.leases import Lease
from bot.store.outbox import Outbox
from bot.store.vault import Vault
from bot.store.wiping import Wiping
from bot.telling import Telling
from bot.utterances import is_urgent
from bot.work import Work
from bot.x.budget import Budget, own_rules
from bot.x.budget import Rules as BudgetRules
from bot.x.counted import CountedGateway
from bot.x.gateway import Gateway, XUser
from bot.x.listening import Listening
from bot.x.pushes import Pushes
from bot.x.usage import Usage
from ledger.book import Ledger
from ledger.clock import Clock, Entropy
from ledger.database import Database

BACK_TO_X = "https://x.com/messages"
"""Where people come from; for a bot without pages of its own."""


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class World:
    """What is not decided by data: the time, and chance."""

    clock: Clock = utc_now
    entropy: Entropy = os.urandom


@dataclass(frozen=True, slots=True)
class Bot:
    """The rooms, put together for one bot account."""

    account: XUser
    database: Database
    ledger: Ledger
    people: People
    wallets: Wallets
    story: Story
    records: Records
    inbox: Inbox
    outbox: Outbox
    authorisations: Authorisations
    enrolment: Enrolment
    freezing: Freezing
    erasing: Erasing
    forgetting: Forgetting
    erasure_list: ErasureList
    own_data: OwnData
    wiping: Wiping
    factors: SecondFactors
    devices: Devices
    inquiries: Inquiries
    page_answers: PageAnswers
    unlocking: Unlocking
    trusted: TrustedPayees
    trusting: Trusting
    reviews: Reviews
    listening: Listening
    pushes: Pushes
    vault: Vault
    work: Work
    courier: Courier
    cashier: Cashier | None
    """None where no cards are taken."""
    sweep: Sweep
    budget: Budget
    usage: Usage
    handle_changes_told: timedelta
    clock: Clock

    def recover(self) -> None:
        """After a start: what was being sent when the last run died has an unknown fate, and is looked for."""
        if self.database.dialect == "sqlite":
            self.database.write(lambda session: self.outbox.abandon_all(session, self.courier.settles_after))

    def sweep_once(self) -> None:
        """Ends what has run out, in one transaction."""

        def work(session: Session) -> None:
            if not is_paused(session):
                self.sweep.run(session, messages_read_at=self.listening.messages_read_at(session))
                self.forgetting.tidy(session)
                self.erasure_list.write(session)
                self.wiping.run(session)
                self.people.former_handles.forget(session, before=self.clock() - self.handle_changes_told)

        self.database.write(work)


def erasure_file(settings: Settings) -> Path:
    """Where the list of erasures is kept, outside the database."""
    return settings.home / "erasures.jsonl"


def _secret_of_the_app(settings: Settings) -> str | None:
    return settings.x_api_secret.get_secret_value() if settings.x_api_secret else None


def budget_rules(settings: Settings) -> BudgetRules:
    return own_rules(
        messages_per_quarter_hour=settings.messages_per_quarter_hour,
        messages_per_day=settings.messages_per_day,
        replies_per_minute=settings.replies_per_minute,
    )


def open_database(settings: Settings, *, is_demo: bool, world: World) -> Database:
    """The database, migrated to this program's form, with its book. Raises `Misconfigured`."""
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = Database(settings.database_address)
    ledger.migrations.upgrade(database)
    bot.migrations.upgrade(database)
    database.write(lambda session: open_book(session, is_demo=is_demo, clock=world.clock) and None)
    return database


def existing_database(settings: Settings) -> Database:
    """The database, for commands that look into it, in this program's form. Raises `Misconfigured` where there is none yet."""
    database = database_as_it_is(settings)
    ledger.migrations.upgrade(database)
    bot.migrations.upgrade(database)
    return database


def database_as_it_is(settings: Settings) -> Database:
    """The same in whatever form it has. Raises `Misconfigured` where there is none yet."""
    url = make_url(settings.database_address)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        raise Misconfigured(
            "SMONEY_DATABASE_URL", "there is no database yet.", example="run `smoney run` first"
        )
    return Database(settings.database_address)


def processor_of(settings: Settings, clock: Clock) -> Processor | None:
    """Who takes cards, as the settings choose it."""
    if settings.cards == "off":
        return None
    from bot.funding.stripe_cards import StripeCards  # noqa: PLC0415 (half a second that others need not wait)

    secret = settings.cards_webhook_secret
    return StripeCards(
        api_key=settings.required("cards_api_key"),
        webhook_secret=secret.get_secret_value() if secret else None,
        base_url=settings.cards_base_url,
        timeout_seconds=settings.x_timeout_seconds,
        clock=clock,
    )


def cashier_of(
    settings: Settings, rooms: Rooms, database: Database, processor: Processor | None
) -> Cashier | None:
    if processor is None:
        return None
    pages = settings.reachable_pages
    card_book = CardBook(
        ledger=rooms.ledger,
        wallets=rooms.wallets,
        house=House(rooms.ledger, rooms.wallets, rooms.authorisations),
        people=rooms.people,
        authorisations=rooms.authorisations,
        outbox=rooms.outbox,
        clock=rooms.clock,
        ids=rooms.ids,
    )
    top_ups = TopUps(
        ledger=rooms.ledger,
        wallets=rooms.wallets,
        spending=rooms.spending,
        people=rooms.people,
        terms=rooms.terms,
        card_book=card_book,
        outbox=rooms.outbox,
        clock=rooms.clock,
        ids=rooms.ids,
        entropy=rooms.entropy,
        least_minor=settings.top_up_least_minor,
        return_url=f"{pages}/topped-up" if pages else BACK_TO_X,
        turned_back_url=f"{pages}/topped-up?turned=back" if pages else BACK_TO_X,
    )
    return Cashier(database, top_ups, card_book, processor)


def build(
    settings: Settings,
    gateway: Gateway,
    account: XUser,
    database: Database,
    world: World,
    *,
    processor: Processor | None = None,
) -> Bot:
    """Every room of the bot, for this account; cards are taken by `processor`, or by whom the settings choose. Raises `Misconfigured` for keys or a database of another bot."""
    clock, entropy = world.clock, world.entropy
    gateway = gateway if isinstance(gateway, CountedGateway) else CountedGateway(gateway, clock)
    rooms = rooms_of(settings, clock=clock, entropy=entropy, bot_username=account.username)
    database.write(lambda session: admit_keys(session, rooms.keyring, clock))
    database.write(lambda session: bind(session, account))

    ids, keyring, vault, rules = rooms.ids, rooms.keyring, rooms.vault, rooms.rules
    people, outbox, factors, records = rooms.people, rooms.outbox, rooms.factors, rooms.records
    wallets, asking, answers, claims = rooms.wallets, rooms.asking, rooms.answers, rooms.claims
    story, freezing = rooms.story, rooms.freezing
    inbox = Inbox(
        people=people,
        erasures=rooms.erasures,
        vault=vault,
        clock=clock,
        ids=ids,
        is_urgent=lambda content: is_urgent(content, account),
    )
    enrolment = Enrolment(
        story,
        claims,
        records,
        wallets,
        rooms.terms,
        factors,
        outbox,
        clock,
        account.username,
        settings.operator_name,
    )
    questions = Questions(keyring, clock, entropy, ids)
    erasing = Erasing(
        story, wallets, answers, factors, rooms.forgetting, people, outbox, questions, keyring, clock
    )
    wording = Wording(outbox, asking, {THAW: freezing.code_facts, ERASE: erasing.code_facts}, people)
    inquiries = Inquiries(wallets, records, people, outbox)
    devices = Devices(people, outbox, factors, vault, clock, ids, entropy, settings.reachable_pages)
    trusted = TrustedPayees(people, factors, clock, ids)
    trusting = Trusting(trusted, factors, people, outbox, questions, clock, offered=settings.trusted_payees)
    controls = Controls(rooms.blocks, trusting, people, outbox, account.id)
    telling = Telling(enrolment, people, outbox, entropy)
    cashier = cashier_of(settings, rooms, database, processor or processor_of(settings, clock))
    obeying = Obeying(
        bot=account,
        story=story,
        changes=Changes(story, claims, records, people, outbox),
        inquiries=inquiries,
        enrolment=enrolment,
        freezing=freezing,
        controls=controls,
        erasing=erasing,
        devices=devices,
        telling=telling,
        top_ups=cashier.top_ups if cashier else None,
        outbox=outbox,
    )
    desk = Desk(account, story, obeying, telling, enrolment, freezing, erasing, people, inbox, outbox)
    budget = Budget(budget_rules(settings), clock)
    lease = Lease(database, "listening", holder=ids(), lasts=leases.LASTS)
    return Bot(
        account=account,
        database=database,
        ledger=rooms.ledger,
        people=people,
        wallets=wallets,
        story=story,
        records=records,
        inbox=inbox,
        outbox=outbox,
        authorisations=rooms.authorisations,
        enrolment=enrolment,
        freezing=freezing,
        erasing=erasing,
        forgetting=rooms.forgetting,
        erasure_list=ErasureList(erasure_file(settings), clock),
        own_data=rooms.own_data,
        wiping=Wiping(timedelta(hours=settings.texts_kept_hours), clock),
        factors=factors,
        devices=devices,
        inquiries=inquiries,
        page_answers=PageAnswers(records, asking, story, people, factors, keyring, clock),
        trusted=trusted,
        trusting=trusting,
        reviews=rooms.reviews,
        unlocking=Unlocking(people, factors, outbox, clock),
        listening=Listening(gateway, database, inbox, records, rules, clock, account.id, lease),
        pushes=Pushes(database, inbox, lease, gateway, clock, account.id, _secret_of_the_app(settings)),
        vault=vault,
        work=Work(database, inbox, desk),
        courier=Courier(
            gateway=gateway,
            database=database,
            outbox=outbox,
            inbox=inbox,
            together=Together(outbox, wording),
            waiting=Waiting(outbox, people, budget),
            asking=asking,
            story=story,
            factors=factors,
            budget=budget,
            replies_per_author=settings.replies_per_author_per_hour,
            clock=clock,
            settles_after=timedelta(seconds=settings.x_settle_seconds),
        ),
        cashier=cashier,
        sweep=Sweep(records, claims, people, factors, rooms.reviews, inbox, outbox, rules, clock),
        budget=budget,
        usage=Usage(database, gateway, clock),
        handle_changes_told=rules.handle_changes_told,
        clock=clock,
    )
