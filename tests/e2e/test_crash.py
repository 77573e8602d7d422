"""The daemon killed at random moments of a busy run, with X losing answers all the while: nothing is paid twice, nothing
that was confirmed is lost, everybody is told once.

By design an unknown send is looked up before it is repeated, so "once" is exactly once, also for what was in flight at
a kill. Failing seeds repeat: SMONEY_PROVE_SEED is taken for the first, though real processes never repeat in full.
"""

import os
import random
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlmodel import Session, col, select

from bot.auditing import verify
from bot.demo.town import Resident, demo_settings, open_town
from bot.payments.intents import IntentState, LineState
from bot.sandbox.core import World
from bot.sandbox.faults import FaultKind
from bot.sandbox.http import serve
from bot.sandbox.limits import Operation
from bot.sandbox.posts import StoredPost
from bot.store.tables import InboxRow, IntentLineRow, IntentRow, OutboxRow
from tests.e2e.conftest import Place, Program, Programs, wait_until

LONG = os.environ.get("SMONEY_PROVE") == "long"
KILLS = 200 if LONG else 10
LONGEST_LIFE_SECONDS = 1.5
OPEN_AT_ONCE = 5
LEASE_SECONDS = 20
LISTENING_LEASE_SECONDS = 1
READY = "ready to begin"
ENTRY = f"""
import sys
from datetime import timedelta
import bot.channels.courier as courier
import bot.store.leases as leases
from bot.running import run_daemon
from bot.settings import load
courier.LEASE = timedelta(seconds={LEASE_SECONDS})  # five minutes for X's real time limits; these here are 3 s
leases.LASTS = timedelta(seconds={LISTENING_LEASE_SECONDS})  # a minute; nobody here lives that long
print("{READY}", flush=True)
sys.stdin.readline()
exit(3 * run_daemon(load(), is_demo=True))
"""
"""Imports everything, so that its successor takes over from a killed daemon without delay."""

MEMBERS = ("ann", "ben", "cem", "dot", "eve", "fay")
NEWCOMERS = ("gus", "hal")
"""They enrol on the way: what was held for them is theirs then."""
STRANGERS = ("ida",)
POOR = "poe"
FUNDS = 1_000_000_00
WIDE_LIMITS = Path(__file__).parents[1] / "wide_limits.toml"
POOR_FUNDS = 30_00
RESIDENTS = (
    *(Resident(name, name.title(), FUNDS) for name in MEMBERS),
    *(Resident(name, name.title()) for name in (*NEWCOMERS, *STRANGERS)),
    Resident(POOR, POOR.title(), POOR_FUNDS),
)
ENDS = ("Paid:", "Cancelled", "Not enough money")
_CODE = re.compile(r"answer ([A-Z] [0-9]{6})")
_REFERENCE = re.compile(r"Ref (P-\w{6})")
_ASKED = re.compile(r"Pay €([\d,.]+) to @(\w+)")
_REPLY_REFERENCE = re.compile(r"\b[PR]-\w{6}\b")


@dataclass(frozen=True)
class Question:
    """A challenge, as its person reads it."""

    person: str
    code: str
    reference: str
    amount_minor: int
    payee: str


@dataclass
class Crowd:
    """Several people who tweet, edit, answer rightly and wrongly, refuse, and enrol. Acts on the world directly."""

    place: Place
    chance: random.Random
    questions: list[Question] = field(default_factory=list)
    right: Counter[Question] = field(default_factory=Counter)
    """Answered with the right code, and how often."""
    edited: set[str] = field(default_factory=set)
    """References whose order was edited: an old code may come too late."""
    refused: set[str] = field(default_factory=set)
    posts: dict[str, list[StoredPost]] = field(default_factory=dict)
    orders: int = 0
    versions: int = 0
    """Of all posts."""
    _read: Counter[str] = field(default_factory=Counter)
    _to_answer: list[Question] = field(default_factory=list)
    _open: Counter[str] = field(default_factory=Counter)

    def act(self) -> None:
        """One thing somebody does."""
        self.look()
        if self._to_answer and self.chance.random() < 0.6:
            self._answer(self._to_answer.pop(self.chance.randrange(len(self._to_answer))))
        elif self.chance.random() < 0.15:
            self._edit()
        else:
            self._order()

    def look(self) -> None:
        """Reads what the bot has asked since."""
        for person in (*MEMBERS, POOR):
            heard = self.place.heard_by(person)
            for text in heard[self._read[person] :]:
                self._hear(person, text)
            self._read[person] = len(heard)

    def _hear(self, person: str, text: str) -> None:
        code, asked, reference = _CODE.search(text), _ASKED.search(text), _REFERENCE.search(text)
        if code and asked and reference:
            amount = int(asked[1].replace(",", "").replace(".", ""))
            question = Question(person, code[1], reference[1], amount, asked[2])
            self.questions.append(question)
            self._to_answer.append(question)
        elif any(words in text for words in ENDS):
            self._open[person] -= 1

    def _order(self) -> None:
        person = self.chance.choice((*MEMBERS, *MEMBERS, POOR))
        if self._open[person] >= OPEN_AT_ONCE:
            return
        others = [name for name in (*MEMBERS, *NEWCOMERS, *STRANGERS) if name != person]
        payee = self.chance.choice(others)
        self._open[person] += 1
        self.orders += 1
        self.versions += 1
        post = self.place.world.post(
            self.place.world.person(person), f"@smoney send {self._amount()} @{payee} for tea {self.versions}"
        )
        self.posts.setdefault(person, []).append(post)

    def _amount(self) -> str:
        return f"{self.chance.randint(1, 30)}.{self.chance.randint(0, 99):02d}€"

    def _answer(self, question: Question) -> None:
        chance = self.chance.random()
        if chance < 0.1:
            letter, digits = question.code.split()
            self._say(question.person, f"{letter} {(int(digits) + 1) % 10**6:06d}")
        if chance > 0.95:
            self.refused.add(question.reference)
            self._say(question.person, f"cancel {question.reference}")
            return
        self.right[question] += 1
        self._say(question.person, question.code)
        if chance > 0.85:
            self.right[question] += 1
            self._say(question.person, question.code.replace(" ", "").lower())

    def _say(self, person: str, text: str) -> None:
        self.place.world.send_message(self.place.world.person(person), self.place.bot, text)

    def _edit(self) -> None:
        """Changes a question's order before it is answered: only the newest version may be paid."""
        waiting = [each for each in self._to_answer if each.reference not in self.edited]
        if not waiting:
            return
        question = self.chance.choice(waiting)
        intents = self.place.world.person(question.person)
        mine = f"@{question.payee} "
        euros = f"{question.amount_minor // 100}.{question.amount_minor % 100:02d}€"
        for post in reversed(self.posts[question.person]):
            if euros in post.text and mine in post.text and post.author_id == intents.id:
                self.place.world.edit(
                    post.id, f"@smoney send {self._amount()} @{question.payee} for tea {self.versions + 1}"
                )
                self.posts[question.person].remove(post)
                self.versions += 1
                self.edited.add(question.reference)
                return

    def enrol(self, person: str) -> None:
        self._say(person, "start")

    def rest(self) -> bool:
        """Answers what was asked; True while there was something."""
        self.look()
        waiting, self._to_answer = self._to_answer, []
        for question in waiting:
            self._answer(question)
        return bool(waiting)


@pytest.mark.prove
@pytest.mark.timeout(0 if LONG else 600)
class TestKilled:
    def test_at_random_moments_pays_once_and_tells_once_on_sqlite(self, programs: Programs, tmp_path: Path):
        survive(programs, tmp_path)

    @pytest.mark.postgresql
    def test_at_random_moments_pays_once_and_tells_once_on_postgresql(
        self, programs: Programs, tmp_path: Path, postgresql_url: str
    ):
        survive(programs, tmp_path, database_url=SecretStr(postgresql_url))


def survive(programs: Programs, home: Path, **chosen: object) -> None:
    seed = int(os.environ.get("SMONEY_PROVE_SEED", random.SystemRandom().getrandbits(32)))
    print(f"seed {seed}")  # noqa: T201 (shown where it failed)
    with a_busy_place(home / "home", **chosen) as place:
        crowd = Crowd(place, random.Random(seed))
        daemon = kill_again_and_again(programs, place, crowd, random.Random(seed + 1))
        drain(place, crowd)
        assert daemon.process.poll() is None
        daemon.process.terminate()
        assert daemon.ends() == 0
        check_all(place, crowd)
    said = "".join(program.said for program in programs.started)
    for never in (
        ".fault",
        "set_aside",
        "invariant_broken",
        "misconfigured",
        "courier.refused",
        "courier.wording",
    ):
        assert never not in said, f"{never} in a log: see {programs.home}"


@contextmanager
def a_busy_place(home: Path, **chosen: object) -> Iterator[Place]:
    world = World()
    bot = world.create_person("smoney", "smoney", open_messages=True)
    settings = demo_settings(home, os.urandom, **chosen)
    with open_town(settings, world, entropy=os.urandom, residents=RESIDENTS):
        pass
    with serve(world) as served:
        yield Place(served, settings, bot)


def kill_again_and_again(programs: Programs, place: Place, crowd: Crowd, chance: random.Random) -> Program:
    """Kills the daemon at random moments while the crowd is busy; the daemon that was left alive."""
    environment = wide_open(place)
    with a_load(place, crowd):
        daemon = a_daemon(programs, environment)
        daemon.tell("go")
        for number in range(KILLS):
            successor = a_daemon(programs, environment)
            time.sleep(chance.uniform(0, LONGEST_LIFE_SECONDS))  # the moment is the point
            daemon.kill()
            daemon = successor
            daemon.tell("go")
            if number == KILLS // 2:
                crowd.enrol(NEWCOMERS[0])
        crowd.enrol(NEWCOMERS[1])
    return daemon


def wide_open(place: Place) -> dict[str, str]:
    """Limits that nobody reaches."""
    return place.environment(
        limits_file=WIDE_LIMITS,
        allowance_per_payment_minor=10**9,
        allowance_per_day_minor=10**11,
        wrong_answers_before_lock=10,
        review_new_payees=0,
        review_refusals=0,
    )


@contextmanager
def a_load(place: Place, crowd: Crowd) -> Iterator[None]:
    """Somebody does something all the while, and X makes trouble."""
    over = threading.Event()
    faults: list[BaseException] = []

    def be_busy() -> None:
        try:
            while not over.is_set():
                crowd.act()
                plan_trouble(place, crowd.chance)
                over.wait(crowd.chance.uniform(0, 0.15))
        except BaseException as error:  # noqa: BLE001 (told to the test, below)
            faults.append(error)

    load = threading.Thread(target=be_busy)
    load.start()
    try:
        yield
    finally:
        over.set()
        load.join()
    assert not faults, faults
    place.world.faults.clear()


def a_daemon(programs: Programs, environment: dict[str, str]) -> Program:
    started = programs.start([sys.executable, "-c", ENTRY], environment)
    started.says(READY)
    return started


def plan_trouble(place: Place, chance: random.Random) -> None:
    """Now and then X fails, hangs up before it does a thing, or does it and loses the answer."""
    if chance.random() > 0.12 or len(place.world.faults.waiting) > 3:
        return
    kind = chance.choice([FaultKind.LOSE, FaultKind.LOSE, FaultKind.CUT, FaultKind.FAIL, FaultKind.NONSENSE])
    operation = chance.choice(
        [Operation.SEND_MESSAGE] * 5
        + [
            Operation.CREATE_POST,
            Operation.MENTIONS,
            Operation.MESSAGES,
            Operation.MESSAGES_WITH,
            Operation.ME,
        ]
    )
    place.world.plan_fault(kind, operation, caller_id=place.bot.id)


def drain(place: Place, crowd: Crowd) -> None:
    """Until every question is answered, all that was said is heard, and nothing waits, neither to be worked nor to be sent."""

    def is_quiet() -> bool:
        if crowd.rest():
            return False
        with place.open() as town:
            read = town.bot.database.read
            heard = (read(posts_heard), read(messages_heard)) == (crowd.versions, said_to(place))
            return heard and read(nothing_waits) and not crowd.rest()

    wait_until(is_quiet, "everything done", 180)


def said_to(place: Place) -> int:
    """How many messages people have written to the bot."""
    everybody = (*MEMBERS, *NEWCOMERS, *STRANGERS, POOR)
    threads = [place.world.thread(place.bot, place.world.person(name)) for name in everybody]
    return sum(message.sender_id != place.bot.id for thread in threads for message in thread)


def messages_heard(session: Session) -> int:
    return len(session.exec(select(InboxRow.id).where(InboxRow.kind == "message")).all())


def nothing_waits(session: Session) -> bool:
    inbox = select(InboxRow.id).where(InboxRow.state == "waiting")
    outbox = select(OutboxRow.id).where(col(OutboxRow.state).in_(("waiting", "sending", "unknown")))
    newest = session.exec(select(InboxRow.id).order_by(col(InboxRow.id).desc()).limit(1)).first()
    return newest is not None and not session.exec(inbox).first() and not session.exec(outbox).first()


# What must be true


@dataclass(frozen=True)
class Payment:
    """One paid line, as the books have it."""

    reference: str
    payer: str
    payee: str
    amount_minor: int
    state: str


def check_all(place: Place, crowd: Crowd, least: int = KILLS) -> None:
    with place.open() as town:
        audit = verify(town.bot.database, place.settings)
        intents, paid = town.bot.database.read(lambda session: books(session, place))
        heard = town.bot.database.read(posts_heard)
        balances = {name: town.available_minor(name) for name in (*MEMBERS, *NEWCOMERS, *STRANGERS, POOR)}
    assert audit.findings == ()
    assert heard == crowd.versions
    print(f"{crowd.orders} orders, {len(crowd.questions)} questions, {len(paid)} payments, {audit.counts}")  # noqa: T201
    assert len(paid) > least, "too little was going on to prove anything"
    check_payments(crowd, paid, intents)
    check_told(place, paid)
    check_balances(balances, paid)


def posts_heard(session: Session) -> int:
    return len(
        session.exec(select(InboxRow.id).where(InboxRow.kind == "post", InboxRow.state == "done")).all()
    )


def books(session: Session, place: Place) -> tuple[dict[str, str], list[Payment]]:
    """Every intent's state by its reference, and what was paid."""
    intents = session.exec(select(IntentRow)).all()
    name = {person.id: person.username for person in place.world.people}
    by_id = {intent.id: intent for intent in intents}
    lines = session.exec(select(IntentLineRow).where(col(IntentLineRow.transfer_id).is_not(None))).all()
    paid = [
        Payment(
            by_id[line.intent_id].reference,
            name[by_id[line.intent_id].payer_id],
            name[line.payee_id],
            line.amount_minor,
            line.state,
        )
        for line in lines
    ]
    return {intent.reference: intent.state for intent in intents}, paid


def check_payments(crowd: Crowd, paid: list[Payment], intents: dict[str, str]) -> None:
    """What was confirmed is paid once; what was not is not."""
    answered = {(q.reference, q.person, q.payee, q.amount_minor) for q in crowd.right}
    once = Counter(payment.reference for payment in paid)
    assert [reference for reference, times in once.items() if times > 1] == []
    for payment in paid:
        assert (payment.reference, payment.payer, payment.payee, payment.amount_minor) in answered, payment
        # Held for who has not come, and taken back by the "cancel" that answered the question of another version.
        assert payment.state != LineState.CANCELLED or payment.reference in crowd.refused, payment
    newest = {question.reference: question for question in crowd.questions}
    for question in crowd.right:
        if (
            question.person != POOR
            and question is newest[question.reference]
            and question.reference not in crowd.refused
        ):
            assert intents[question.reference] == IntentState.PAID, question
    for reference in crowd.refused - {q.reference for q in crowd.right}:
        # An edit may have asked for more than they had, before the "cancel" was read.
        ends = {IntentState.CANCELLED} | ({IntentState.REFUSED} if reference in crowd.edited else set())
        assert intents[reference] in ends, reference


def things_said(place: Place, person: str) -> list[str]:
    """What this person was told, one thing after the other: receipts and notices may have come in one message."""
    return [said for text in place.heard_by(person) for said in text.split("\n\n")]


def check_told(place: Place, paid: list[Payment]) -> None:
    """Receipts, once each; and no message at all came twice that has a reference or a code of its own."""
    for person in (*MEMBERS, *NEWCOMERS, POOR):
        heard = place.heard_by(person)
        twice = [text for text, times in Counter(heard).items() if times > 1 and _REFERENCE.search(text)]
        assert [
            text for text in twice if "Paid:" in text or "received" in text or _CODE.search(text)
        ] == [], person
    for payment in paid:
        to_payer = [
            text
            for text in things_said(place, payment.payer)
            if payment.reference in text and "Paid:" in text
        ]
        assert len(to_payer) == 1, payment
        to_payee = [
            text
            for text in things_said(place, payment.payee)
            if payment.reference in text and ("You received" in text or "Money was waiting" in text)
        ]
        # What was held for a newcomer and taken back before they came never was theirs: they hear nothing of it.
        is_theirs = payment.state == LineState.PAID
        assert is_theirs or payment.payee in STRANGERS or payment.state == LineState.CANCELLED, payment
        assert len(to_payee) == (1 if is_theirs else 0), (payment, to_payee)


def check_balances(balances: dict[str, int | None], paid: list[Payment]) -> None:
    for name, available in balances.items():
        funds = FUNDS if name in MEMBERS else POOR_FUNDS if name == POOR else 0
        spent = sum(
            payment.amount_minor
            for payment in paid
            if payment.payer == name and payment.state != LineState.CANCELLED
        )
        came = sum(
            payment.amount_minor for payment in paid if payment.payee == name and payment.state == "paid"
        )
        expected = funds - spent + came
        assert (available or 0) == expected >= 0, name
