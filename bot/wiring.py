"""The composition root: plain constructor calls, and the only place where clock and randomness come in."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import make_url
from sqlmodel import Session

import bot.migrations
import ledger.migrations
from bot.book import admit_keys, bind, is_paused, open_book
from bot.channels.courier import Courier
from bot.channels.together import Together
from bot.channels.waiting import Waiting
from bot.channels.wording import Wording
from bot.desk import Desk
from bot.errors import Misconfigured
from bot.keys import keyring_from
from bot.limits_file import limits_of
from bot.obeying import Obeying
from bot.payments.answers import Answers
from bot.payments.asking import Asking
from bot.payments.authorisations import Authorisations
from bot.payments.blocks import Blocks
from bot.payments.changes import Changes
from bot.payments.claims import Claims
from bot.payments.exemptions import Exemptions, TrustedPayees
from bot.payments.inquiries import Inquiries
from bot.payments.page_answers import PageAnswers
from bot.payments.posting import Posting
from bot.payments.records import Records
from bot.payments.reviews import Reviews
from bot.payments.rules import LowValue, Review, Rules
from bot.payments.spending import Spending
from bot.payments.story import Story
from bot.payments.sweep import Sweep
from bot.payments.unlocking import Unlocking
from bot.payments.wallets import Wallets
from bot.people.controls import Controls
from bot.people.devices import Devices
from bot.people.enrolment import Enrolment
from bot.people.erasing import ASKED as ERASE
from bot.people.erasing import Erasing
from bot.people.erasure_list import ErasureList
from bot.people.erasures import Erasures
from bot.people.forgetting import Forgetting
from bot.people.freezing import ASKED as THAW
from bot.people.freezing import Freezing
from bot.people.locking import Locking
from bot.people.own_data import OwnData
from bot.people.people import People
from bot.people.questions import Questions
from bot.people.second_factor import SecondFactors
from bot.people.terms import Terms
from bot.people.trusting import Trusting
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
from ledger.clock import Clock, Entropy, IdSource
from ledger.database import Database


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


def rules_of(settings: Settings) -> Rules:
    return Rules(
        challenge_lasts=timedelta(minutes=settings.challenge_minutes),
        order_may_wait=timedelta(minutes=settings.order_max_age_minutes),
        parked_may_wait=timedelta(minutes=settings.parked_minutes),
        answer_may_wait=timedelta(hours=settings.answer_max_age_hours),
        hold_lasts=timedelta(days=settings.hold_days),
        wrong_answers_before_lock=settings.wrong_answers_before_lock,
        first_lock=timedelta(minutes=settings.lock_minutes),
        longest_lock=timedelta(minutes=settings.lock_max_minutes),
        wrong_answers_in_30_days=settings.wrong_answers_in_30_days,
        undo_lasts=timedelta(seconds=settings.undo_seconds),
        trusted_payees=settings.trusted_payees,
        handle_changes_told=timedelta(days=settings.handle_change_days),
        low_value=_low_value_of(settings) if settings.low_value_payments else None,
        review=Review(
            new_payees=settings.review_new_payees,
            refusals=settings.review_refusals,
            reissued_handles=settings.review_reissued_handles,
            lasts=timedelta(days=settings.review_days),
        ),
    )


def _low_value_of(settings: Settings) -> LowValue:
    by_amount = settings.low_value_counter == "amount"
    return LowValue(
        most_minor=settings.low_value_most_minor,
        sum_minor=settings.low_value_sum_minor if by_amount else None,
        payments=None if by_amount else settings.low_value_payments_in_a_row,
    )


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
    """The database as it is, for commands that look into it. Raises `Misconfigured` where there is none yet."""
    url = make_url(settings.database_address)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        raise Misconfigured(
            "SMONEY_DATABASE_URL", "there is no database yet.", example="run `smoney run` first"
        )
    database = Database(settings.database_address)
    ledger.migrations.upgrade(database)
    bot.migrations.upgrade(database)
    return database


def build(settings: Settings, gateway: Gateway, account: XUser, database: Database, world: World) -> Bot:
    """Every room of the bot, for this account. Raises `Misconfigured` for keys or a database of another bot."""
    clock, entropy = world.clock, world.entropy
    gateway = gateway if isinstance(gateway, CountedGateway) else CountedGateway(gateway, clock)
    ids = IdSource(clock, entropy)
    keyring = keyring_from(settings)
    vault = Vault(keyring, entropy)
    rules = rules_of(settings)
    database.write(lambda session: admit_keys(session, keyring, clock))
    database.write(lambda session: bind(session, account))

    book = Ledger(clock=clock, ids=ids)
    people = People(vault=vault, ids=ids, language=settings.language, time_zone=ZoneInfo(settings.time_zone))
    erasures = Erasures(vault)
    inbox = Inbox(
        people=people,
        erasures=erasures,
        vault=vault,
        clock=clock,
        ids=ids,
        is_urgent=lambda content: is_urgent(content, account),
    )
    outbox = Outbox(people=people, vault=vault, clock=clock, ids=ids)
    locking = Locking(rules.wrong_answers_before_lock, rules.first_lock, rules.longest_lock)
    factors = SecondFactors(people, outbox, vault, clock, ids, entropy, account.username, locking)
    records = Records(people=people, vault=vault, clock=clock, ids=ids, entropy=entropy)
    wallets = Wallets(ledger=book, ids=ids)
    authorisations = Authorisations(keyring=keyring, clock=clock, ids=ids)

    asking = Asking(records, people, outbox, keyring, rules, clock, entropy)
    answers = Answers(records, asking, keyring, rules, clock)
    spending = Spending(records, wallets, people, factors, limits_of(settings), clock)
    posting = Posting(book, wallets, people, records, authorisations, spending, rules, clock)
    claims = Claims(book, wallets, people, records, authorisations, spending, outbox, rules, clock)
    reviews = Reviews(records, asking, claims, people, outbox, rules, clock, ids)
    terms = Terms(settings.terms_version, settings.terms_url, outbox)
    blocks = Blocks(people, clock, ids)
    story = Story(
        records=records,
        asking=asking,
        answers=answers,
        posting=posting,
        wallets=wallets,
        spending=spending,
        claims=claims,
        exemptions=Exemptions(records, rules),
        blocks=blocks,
        terms=terms,
        reviews=reviews,
        people=people,
        outbox=outbox,
        rules=rules,
        clock=clock,
    )
    enrolment = Enrolment(
        story, claims, records, wallets, terms, outbox, clock, account.username, settings.operator_name
    )
    freezing = Freezing(story, wallets, answers, factors, people, outbox, keyring, clock, entropy)
    forgetting = Forgetting(people, erasures, wallets, authorisations, clock, ids)
    questions = Questions(keyring, clock, entropy, ids)
    erasing = Erasing(story, wallets, answers, factors, forgetting, people, outbox, questions, keyring, clock)
    wording = Wording(outbox, asking, {THAW: freezing.code_facts, ERASE: erasing.code_facts}, people)
    inquiries = Inquiries(wallets, records, people, outbox)
    devices = Devices(people, outbox, factors, vault, clock, ids, entropy, settings.reachable_pages)
    trusted = TrustedPayees(people, factors, clock, ids)
    trusting = Trusting(trusted, factors, people, outbox, questions, clock, offered=settings.trusted_payees)
    controls = Controls(blocks, trusting, people, outbox, account.id)
    telling = Telling(enrolment, people, outbox, entropy)
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
        outbox=outbox,
    )
    desk = Desk(account, story, obeying, telling, enrolment, freezing, erasing, people, inbox, outbox)
    budget = Budget(budget_rules(settings), clock)
    lease = Lease(database, "listening", holder=ids(), lasts=leases.LASTS)
    return Bot(
        account=account,
        database=database,
        ledger=book,
        people=people,
        wallets=wallets,
        story=story,
        records=records,
        inbox=inbox,
        outbox=outbox,
        authorisations=authorisations,
        enrolment=enrolment,
        freezing=freezing,
        erasing=erasing,
        forgetting=forgetting,
        erasure_list=ErasureList(erasure_file(settings), clock),
        own_data=OwnData(people, vault, clock),
        wiping=Wiping(timedelta(hours=settings.texts_kept_hours), clock),
        factors=factors,
        devices=devices,
        inquiries=inquiries,
        page_answers=PageAnswers(records, asking, story, people, factors, keyring, clock),
        trusted=trusted,
        trusting=trusting,
        reviews=reviews,
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
            budget=budget,
            replies_per_author=settings.replies_per_author_per_hour,
            clock=clock,
            settles_after=timedelta(seconds=settings.x_settle_seconds),
        ),
        sweep=Sweep(records, claims, people, factors, reviews, inbox, outbox, rules, clock),
        budget=budget,
        usage=Usage(database, gateway, clock),
        handle_changes_told=rules.handle_changes_told,
        clock=clock,
    )
