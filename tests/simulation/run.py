"""One run of one seed: people act, workers tick, things go wrong, and after every step all must hold.

A step is one person's act, one worker's tick or one fault; ticks that find nothing to do are not counted. Every step
draws from chance begun anew from the seed and its own number, so that leaving out a step changes no other.
"""

import re
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import structlog
from sqlmodel import Session

from bot.auditing import verify
from bot.demo.town import demo_settings
from bot.errors import InvariantBroken, Misconfigured, TryLater
from bot.people.tiers import Tier
from bot.sandbox import state
from bot.sandbox.core import World as Sandbox
from bot.sandbox.faults import FaultKind
from bot.sandbox.gateway import SandboxGateway
from bot.sandbox.limits import WIDE, Operation
from bot.settings import Settings
from bot.wiring import Bot, World, build, open_database
from bot.work import THE_DATABASE
from bot.x.gateway import UserId
from bot.x.snowflake import instant_of
from ledger.errors import InvariantBroken as LedgerBroken
from ledger.money import EUR, Money
from tests.simulation import cast, habits, operators, told, troubles
from tests.simulation.books import Books
from tests.simulation.cast import Player
from tests.simulation.database import Disk, SimulatedDatabase
from tests.simulation.gateway import CountedFaults, Seams, WatchedGateway
from tests.simulation.ground import Chance, Clock, Crash, Entropy, WorkerDied
from tests.simulation.model import Asked, Broken, Model, Paid, Rules, Version
from tests.simulation.operators import Operators
from tests.simulation.pushing import Pushing
from tests.simulation.wishes import Sure

MONDAY = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
CODE = re.compile(r"([A-Za-z][ -]?)?[0-9]{6}")
LISTENING_GAP = timedelta(minutes=10)
WORKERS = ("first", "second", "third")
READ_FOR_SURE = timedelta(minutes=1)
"""What was said so long before the messages were read to their end was shown by then."""
ACTS, TROUBLES, RELIEF = 0.40, 0.035, 0.04
OPERATORS = 0.012
TICKS: dict[str, float] = {"mentions": 5, "messages": 7, "work": 26, "deliver": 18, "sweep": 1}
PUSHED = {"webhook": 9, "stream": 2}
POLLED_SELDOM = {"mentions": 0.1, "messages": 0.1, "stream": 5}
"""Where a stream brings all and the lists are read every half an hour, as the daemon does then."""
MOST_ROUNDS = 12
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
FAULT = -1
"""What a tick did that ended in a fault."""
NEVER_LOGGED = {"work.fault", "courier.wording"}
"""Faults of the program's own, whatever happens around it."""
NOT_OF_THE_TOWN = {"rules", "_newer_is_worked"}
"""What a model has of its run."""
MEMORY = "/dev/shm"
T = TypeVar("T")


@dataclass
class Told:
    """What a run tells of itself."""

    seed: int
    steps: int = 0
    confirmed: int = 0
    habits: Counter[str] = field(default_factory=Counter)
    troubles: Counter[str] = field(default_factory=Counter)
    happened: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Told") -> None:
        self.steps += other.steps
        self.confirmed += other.confirmed
        self.habits += other.habits
        self.troubles += other.troubles
        self.happened += other.happened


@dataclass(frozen=True)
class MovedIn:
    """A town into which everybody has moved and in which nothing else has happened, to be copied."""

    sandbox: dict[str, Any]
    model: dict[str, Any]
    players: dict[str, Player]
    bot_id: int
    at: datetime
    heard: int


class Template:
    """A database in the newest form with everybody moved in, and what belongs to it: the same for every run."""

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="smoney-simulation-", dir=MEMORY))
        self.settings = demo_settings(
            self.home,
            Entropy(),
            time_zone="UTC",
            hold_days=1,
            x_settle_seconds=10,
        )
        self.path = self.home / "template.sqlite"
        fresh = self.settings.model_copy(update={"database_url": _secret(f"sqlite:///{self.path}")})
        database = open_database(fresh, is_demo=True, world=World(clock=lambda: MONDAY, entropy=Entropy()))
        database.write(lambda session: operators.move_in(session, MONDAY))
        database.close()
        self.town: MovedIn | None = None
        run = Run(self, 0)
        try:
            self.town = run.moved_in()
            run.books.close()
            run.database.engine.let_go()  # whoever closes last brings all of it into the one file
            shutil.copy(run.path, self.path)
        finally:
            run.close()

    def close(self) -> None:
        shutil.rmtree(self.home, ignore_errors=True)


def _secret(text: str) -> Any:
    from pydantic import SecretStr  # noqa: PLC0415

    return SecretStr(text)


class Run:
    """A town of one seed. `story` is what happened, a line each."""

    def __init__(
        self, template: Template, seed: int, *, without: frozenset[str] = frozenset(), telling: bool = False
    ) -> None:
        self.seed = seed
        self.without = without
        self.telling = telling
        self.story: list[str] = []
        self.chance = Chance()
        self.entropy = Entropy()
        self.clock = Clock(MONDAY)
        self._begin(-1)
        self.disk = Disk()
        self.seams = Seams()
        self.world = Sandbox(self.clock, chance=self.chance, limits=WIDE)
        if template.town is not None:
            state.restore(self.world, template.town.sandbox)
        self.faults = self.world.faults = CountedFaults()
        secret = _secret(self.world.app.consumer_secret)
        self.settings: Settings = template.settings.model_copy(update={"x_api_secret": secret})
        self.path = template.home / f"{seed}-{id(self)}.sqlite"
        shutil.copy(template.path, self.path)
        self.model = Model(_rules_of(self.settings), self._newer_is_worked)
        self.books = Books(self.path, self.model)
        self.habits: Counter[str] = Counter()
        self.troubles: Counter[str] = Counter()
        self.happened: Counter[str] = Counter()
        self.steps = 0
        self.index = 0
        self.indices: list[int] = []
        self.down_for = 0
        self.broken: Broken | None = None
        self.blocked_once: set[int] = set()
        self.listened_at = MONDAY
        self._notes = 0
        self._heard = 0
        self._depth = 0
        self._without_ids: set[int] = set()
        self.ticks = 0
        self._page_size = self.chance.choice((5, 20, 100))
        self.seams.gives_way = self._give_way
        self.seams.shows_old_versions = lambda: self.chance.happens(0.3)
        self.players: dict[str, Player] = {}
        if template.town is None:
            self.bot_id = self.world.create_person("smoney", "smoney", open_messages=True).id
        else:
            self._take_over(deepcopy(template.town))
        self.pushing = Pushing.of(self)
        self.model.rules.unordered = bool(self.pushing.ways)
        self._kinds = TICKS | {way: PUSHED[way] for way in sorted(self.pushing.ways)}
        self.operators = Operators.of(self)
        self.polls_seldom = self.pushing.ways == {"stream"} and self.chance.happens(0.5)
        if self.polls_seldom:
            self._kinds |= POLLED_SELDOM
        self._open()

    def _take_over(self, town: MovedIn) -> None:
        self.players, self.bot_id, self._heard = town.players, town.bot_id, town.heard
        vars(self.model).update(town.model)
        self.clock.at = self.listened_at = town.at
        self.books.take_over()

    def moved_in(self) -> MovedIn:
        with _logs(self):
            self._move_in()
        own = {name: value for name, value in vars(self.model).items() if name not in NOT_OF_THE_TOWN}
        return MovedIn(
            state.dump(self.world), deepcopy(own), self.players, self.bot_id, self.clock(), self._heard
        )

    def _newer_is_worked(self, version: Version) -> bool:
        newer = "SELECT EXISTS (SELECT 1 FROM inbox WHERE kind = 'post' AND chain_id = ? AND x_id > ? AND state = 'done')"
        return bool(version.post and self.books.one(newer, version.chain, version.post))

    # Beginning and ending

    def _open(self) -> None:
        self.database = SimulatedDatabase(self.path, self.disk, pause=self._pauses)
        sandbox = SandboxGateway(self.world, self.bot_id, page_size=self._page_size)
        gateway = WatchedGateway(sandbox, self.seams, self._without_ids)
        bot = self.world.person(self.bot_id)
        self.workers: list[Bot] = [
            build(self.settings, gateway, _account(bot), self.database, self._ground()) for _ in WORKERS
        ]

    def _ground(self) -> World:
        return World(clock=self.clock, entropy=self.entropy)

    def _pauses(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    def _move_in(self) -> None:
        for resident in cast.RESIDENTS:
            person = self.world.create_person(resident.username, resident.name)
            self.players[resident.username] = Player(resident.username, person.id)
            self.model.names(person.id, resident.username, self.clock())
            self.model.names_of[person.id] = resident.name
            if resident.wallet_minor is not None:
                self.says(self.players[resident.username], "start")
        self.clock.advance(timedelta(seconds=1))
        self._settle()
        for resident in cast.RESIDENTS:
            if resident.wallet_minor:
                self._fund(self.players[resident.username], resident.wallet_minor)
        self.books.look()

    def _fund(self, player: Player, amount_minor: int) -> None:
        """Test money, for somebody the operator knows."""
        bot, now = self.workers[0], self.clock()

        def work(session: Session) -> None:
            person = bot.people.get(session, UserId(player.id))
            bot.people.set_tier(session, person, Tier.IDENTIFIED, at=now)
            bot.wallets.give_test_money(session, person, Money(amount_minor, EUR), key=player.name)

        self.database.write(work)
        self.model.identified.add(player.id)

    def close(self) -> None:
        self.books.close()
        self.database.engine.let_go()
        for path in self.path.parent.glob(self.path.name + "*"):
            path.unlink()

    def restart(self) -> None:
        """The program begins anew on the file as it is."""
        self.database.engine.let_go()
        self.disk.planned = self.disk.crash_in = None
        self.disk.dead = False
        self.seams.clear()
        self.down_for = 0
        self._open()
        self.workers[0].recover()

    def stop(self, *, for_steps: int) -> None:
        self.database.engine.let_go()
        self.disk.planned = self.disk.crash_in = None
        self.seams.clear()
        self.down_for = for_steps

    # Playing

    def play(self, steps: int, indices: Iterable[int] | None = None) -> None:
        """So many counted steps (or exactly these numbers), then everything drains. Raises `Broken`."""
        with _logs(self):
            for index in count() if indices is None else indices:
                if indices is None and self.steps >= steps:
                    break
                self.index = index
                self.indices.append(index)
                self._begin(index)
                self._step()
            self.index = -2
            self._begin(-2)
            self._drain()

    def _begin(self, index: int) -> None:
        self.chance.begin(self.seed, index)
        self.entropy.begin(self.seed, index)

    def _step(self) -> None:
        self.clock.advance(timedelta(milliseconds=self.chance.randrange(20, 6_000)))
        if self.down_for:
            self.down_for -= 1
            if not self.down_for:
                self.restart()
        if self.chance.happens(RELIEF):
            self._is_relieved()
        chosen = self.chance.random()
        if chosen < ACTS or self.down_for:
            self._counted(habits.act(self))
        elif chosen < ACTS + TROUBLES:
            self._counted(troubles.strike(self))
        elif chosen < ACTS + TROUBLES + OPERATORS:
            self._admin_acts()
        else:
            self._tick()

    def _admin_acts(self) -> None:
        """A command dies with the program where it meets a disk that dies."""
        try:
            self._counted(self._alive(lambda: operators.act(self)))
        except Crash:
            self._tell("the program dies")
            self.restart()
            self.operators.learn()
        self._check()

    def somebody_acts(self) -> None:
        """While a stream is open."""
        if self._depth:
            return
        self._depth += 1
        try:
            self._counted(habits.act(self))
        finally:
            self._depth -= 1

    def _is_relieved(self) -> None:
        """Somebody pays X's bill, and X lets the bot go again."""
        self.world.credit_thousandths = None
        if self.world.person(self.bot_id).suspended:
            self.world.suspend(self.bot_id, suspended=False)

    def _counted(self, line: str | None) -> None:
        if line is not None:
            self.steps += 1
            self._tell(line)

    def _tell(self, line: str) -> None:
        if self.telling:
            self.story.append(f"{self.index:6d} {self.clock():%a %H:%M:%S}  {'  ' * self._depth}{line}")

    def _give_way(self) -> None:
        """In the middle of a call of X somebody else does something."""
        if self._depth or not self.chance.happens(0.05):
            return
        self._depth += 1
        try:
            self.clock.advance(timedelta(milliseconds=self.chance.randrange(1, 900)))
            if self.chance.happens(0.5):
                self._counted(habits.act(self))
            else:
                self._tick()
            self.happened["somebody comes between"] += 1
        finally:
            self._depth -= 1

    def _tick(self) -> None:
        name = self._what_is_needed()
        worker = self.chance.choices((0, 1, 2), (6, 3, 1))[0]
        self.ticks += 1
        try:
            done = self._guarded(self._tick_of(name, self.workers[worker]))
        except Crash:
            if self._depth:
                raise
            self._tell("the program dies")
            self.restart()
            done = 1
        except WorkerDied:
            if self._depth:
                raise
            self._tell(f"the {WORKERS[worker]} worker dies")
            gateway = self.workers[worker].courier.gateway
            bot = self.world.person(self.bot_id)
            self.disk.planned = self.disk.crash_in = None  # it begins again until it has begun
            self.workers[worker] = build(self.settings, gateway, _account(bot), self.database, self._ground())
            done = 1
        if done:
            self._counted(f"the {WORKERS[worker]} worker: {name}")
            self._check()

    def _what_is_needed(self) -> str:
        """A tick that most likely finds something to do."""
        name = self.chance.choices(list(self._kinds), list(self._kinds.values()))[0]
        if name == "work" and not self.books.one(
            "SELECT EXISTS (SELECT 1 FROM inbox WHERE state = 'waiting')"
        ):
            name = "deliver"
        if name == "deliver" and not self.books.one(
            "SELECT EXISTS (SELECT 1 FROM outbox WHERE state IN ('waiting', 'sending', 'unknown'))"
        ):
            name = "messages" if self.chance.happens(0.6) else "mentions"
            if self.polls_seldom:
                name = "stream"
        return name

    def _tick_of(self, name: str, bot: Bot, *, wholly: bool = False) -> Callable[[], int]:
        """`wholly`: until nothing is left to do; otherwise one or two rows."""
        works, delivers = (
            (10_000, 10_000) if wholly else (self.chance.choice((1, 1, 2)), self.chance.choice((3, 3, 4, 6)))
        )

        def reads_messages() -> int:
            found = bot.listening.read_messages()
            gap = self.clock() - self.listened_at
            if gap >= LISTENING_GAP:
                self.model.not_listening += gap
            self.listened_at = self.clock()
            return found

        def sweeps() -> int:
            before = self.database.engine.changes
            bot.sweep_once()
            return self.database.engine.changes - before

        return {
            "mentions": bot.listening.read_mentions,
            "messages": reads_messages,
            "work": lambda: bot.work.run(_times(works)),
            "deliver": lambda: bot.courier.deliver(_times(delivers)),
            "sweep": sweeps,
            "webhook": lambda: self.pushing.brings_one(bot),
            "stream": lambda: self.pushing.streams(
                bot, lambda: bot.listening.read_mentions() + reads_messages()
            ),
        }[name]

    def _guarded(self, act: Callable[[], int]) -> int:
        """As the daemon takes what a tick raises: a fault of the world is a pause, one of ours must not be."""
        try:
            return self._alive(act)
        except (TryLater, Misconfigured) as later:
            self.happened[f"{type(later).__name__} to a tick"] += 1
        except (InvariantBroken, LedgerBroken) as broken:
            raise Broken("what must always hold", str(broken)) from broken
        except THE_DATABASE as fault:
            self.happened[f"{type(fault).__name__} to a tick"] += 1
        except Broken:
            raise
        except Exception as fault:
            raise Broken("no fault of the program's own", f"{type(fault).__name__}: {fault}") from fault
        return FAULT

    def _alive(self, act: Callable[[], T]) -> T:
        """A program that died says nothing more, whatever its libraries make of it on the way out."""
        try:
            done = act()
        except BaseException:
            if self.disk.dead:
                raise Crash from None
            raise
        if self.disk.dead:
            raise Crash
        return done

    def _check(self) -> None:
        if self.broken is not None:
            raise self.broken
        self.books.look()
        self._listen_to_the_bot()

    def _listen_to_the_bot(self) -> None:
        """Everybody reads what was sent to them since."""
        ids = self.world.messages.ids_of(self.bot_id)
        paused_in = self.operators.sends_paused_in
        while self._heard < len(ids):
            message = self.world.messages[ids[self._heard]]
            self._heard += 1
            if message.sender_id == self.bot_id and "-" in message.conversation_id:
                if paused_in is not None and self.ticks > paused_in:
                    raise Broken("nothing is said while sends are paused", message.text)
                first, second = map(int, message.conversation_id.split("-"))
                self._hears(first if second == self.bot_id else second, message.text, message.created_at)

    def _hears(self, person: int, text: str, at: datetime) -> None:
        if self.telling:
            self._tell(f"    {self.name_of(person)} reads: {' / '.join(text.splitlines())[:230]}")
        for question in told.questions(text, at):
            self.model.is_asked(person, question)
            self.player_of(person).references.append(question.reference)
        for small in told.small_questions(text, at):
            self.model.is_asked_small(person, small)
        for saying in told.sayings(text):
            self.model.hears(person, saying, at)
        for wish in told.wishes(text):
            self.model.hears_wish(person, wish, at)
        if told.GOODBYE in text:
            self.model.is_let_go(person, at)
        if told.STILL_WAITING.search(text):
            self.model.people[person].too_full = True
        for _ in told.REFUSED.finditer(text):
            self.model.refused(person)

    # What people can do

    def says(self, player: Player, words: str) -> int:
        """In private. The message's id."""
        message = self.world.send_message(player.id, self.bot_id, words)
        if CODE.fullmatch(words):
            self.happened[
                f"a {self.model.answers_with(player.id, words, message.created_at)} code is said"
            ] += 1
        else:
            self.model.says(player.id, words, message.created_at)
        return message.id

    def orders(self, version: Version) -> None:
        version.unread_since = min(self.listened_at, version.at) - READ_FOR_SURE
        self.model.orders(version)

    def hides_ids(self, message: int) -> bool:
        if not self.chance.happens(0.3):
            return bool(self.pushing.ways)  # what is pushed names nobody's id
        self._without_ids.add(message)
        return True

    def somebody(self, *, wanted: bool, who: Callable[["Run", Player], bool] | None = None) -> Player | None:
        """Anybody, one who has been asked and has not answered (`wanted`), or one of whom something is so (`who`)."""
        now = self.clock()
        if wanted:
            asked = [
                a.person for a in self.model.asked.values() if a.ended is None and now < a.question.until
            ]
            names = [p.name for p in self.players.values() if p.id in asked and p.name not in self.without]
        elif who is not None:
            names = [p.name for p in self.players.values() if p.name not in self.without and who(self, p)]
        else:
            names = [name for name in self.players if name not in self.without]
        return self.players[self.chance.choice(names)] if names else None

    def questions_of(self, player: Player) -> list[Asked]:
        now = self.clock() - self.world.ground.lag
        return [a for a in self.model.asked.values() if a.person == player.id and a.question.heard_at <= now]

    def player_of(self, person: int) -> Player:
        return next(player for player in self.players.values() if player.id == person)

    def name_of(self, person: int) -> str:
        return self.player_of(person).name

    def handle(self, player: Player) -> str:
        return self.world.person(player.id).username

    def new_note(self) -> str:
        self._notes += 1
        return f"tea {max(self.index, 0)}x{self._notes}"

    def plan_fault(self, kind: FaultKind, operation: Operation | None, **how: Any) -> None:
        if kind is FaultKind.DELAY:
            how["seconds"] = self.chance.choice((1, 30))
        self.world.plan_fault(kind, operation, caller_id=self.bot_id, **how)

    def listens_through(self, time: timedelta) -> None:
        """Nobody says anything, and the bot reads on: as if it had read the silent street every minute."""
        if self.down_for:
            self.restart()
        self._settle()
        self.clock.advance(time)
        now = (self.clock() - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
        self.disk.planned = self.disk.crash_in = None
        writer = sqlite3.connect(self.path, isolation_level=None)
        writer.execute("UPDATE cursors SET read_at = ?", (now,))
        writer.close()
        self.listened_at = self.clock()
        self.model.all_uncertain()
        self._settle()

    def _settle(self) -> None:
        """Until nothing is left to do now. What goes wrong on the way is tried again."""
        patience = 4
        for _ in range(MOST_ROUNDS):
            done = [self._settling(name) for name in ("mentions", "messages", "work", "deliver", "sweep")]
            if not any(done):
                return
            patience -= max(done) <= 0
            if not patience:
                return
        raise Broken("everything drains", f"{MOST_ROUNDS} rounds were not enough")

    def _settling(self, name: str) -> int:
        try:
            done = self._guarded(self._tick_of(name, self.workers[0], wholly=True))
        except Crash:
            self.restart()
            done = FAULT
        except WorkerDied:
            done = FAULT
        self._check()
        return done

    # The end

    def _drain(self) -> None:
        """Nothing goes wrong any more and nobody says anything: everything comes to its end, and everybody is told."""
        self._depth = 1  # nobody comes between
        self.world.faults.clear()
        self.world.suspend(self.bot_id, suspended=False)
        self.world.credit_thousandths = None
        self.world.ground.lag = timedelta()
        for player in self.players.values():
            self.world.block(player.id, self.bot_id, blocked=False)
        if self.down_for or self.disk.dead:
            self.restart()
        self.disk.planned = self.disk.crash_in = None
        self.seams.clear()
        self._admins_let_go_on()
        self._settle()
        while self.pushing.waiting:
            self.pushing.waiting.pop(0)
        for minutes in (1, 1, 6, 8, 9, 9, 9, 9, 9):
            self.clock.advance(timedelta(minutes=minutes))
            self._settle()
        certain = self._certain_unpaid()
        self.listens_through(timedelta(hours=2))
        ends = self.books.one("SELECT coalesce(max(due_at), 0) FROM intent_lines WHERE state = 'held'")
        if ends:
            due = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=ends)
            self.listens_through(max(due - self.clock(), timedelta()) + timedelta(hours=1))
        self._check_end(certain)

    def _admins_let_go_on(self) -> None:
        for act in (Operators.lets_payments_go_on, Operators.lets_sends_go_on):
            act(self.operators)

    def _certain_unpaid(self) -> list[str]:
        """Payments that were surely confirmed and have not been made, beyond what was refused with a sentence."""
        unpaid: list[str] = []
        for person, who in self.model.people.items():
            mine = [
                answer
                for answers in self.model.answers.values()
                for answer in answers
                if answer.certain
                and answer.asked.person == person
                and (who.wishes.erasing_at is None or answer.at > who.wishes.erasing_at)
                and not self.model.paid[answer.asked.question.reference]
            ]
            mine.sort(key=lambda answer: answer.refusals_before)
            refused = who.refusals_heard - (mine[0].refusals_before if mine else 0)
            if len(mine) > refused and person not in self.blocked_once:
                unpaid += [f"{self.name_of(person)} {answer.asked.question}" for answer in mine]
        return unpaid

    def _check_end(self, certain: list[str]) -> None:
        if certain:
            raise Broken("what was confirmed is paid", "; ".join(certain))
        self._nothing_is_left()
        self._everything_arrived()
        self._everything_was_told()
        self._who_was_erased_is_forgotten()
        audit = verify(self.database, self.settings)
        if audit.findings:
            raise Broken("the audit finds nothing", "; ".join(audit.findings))

    def _nothing_is_left(self) -> None:
        left = self.books.all("SELECT kind, state, reason FROM inbox WHERE state <> 'done'")
        left += self.books.all(
            "SELECT kind, phrase, state, reason FROM outbox WHERE state IN ('waiting', 'sending', 'unknown')"
        )
        if left:
            raise Broken("everything drains", str(left[:5]))
        if self.model.held:
            raise Broken("no hold is left open", str(list(self.model.held.values())[:3]))
        failed = self.books.all(
            "SELECT phrase, reason, person_id FROM outbox WHERE state = 'failed' AND kind = 'message'"
        )
        lost = [row for row in failed if row[2] not in self.blocked_once]
        if lost:
            raise Broken("nothing that is to be said is lost", str(lost[:3]))

    def _everything_arrived(self) -> None:
        """Every message to the bot, and the newest version of every post that mentions it, was read once."""
        read = {(kind, x_id) for kind, x_id in self.books.all("SELECT kind, x_id FROM inbox")}
        read |= {("message", x_id) for (x_id,) in self.books.all("SELECT twin_id FROM inbox")}
        read |= {
            ("message", own) for own, other in self.pushing.pushed_as.items() if ("message", other) in read
        }
        for identity in self.world.messages.ids_of(self.bot_id):
            message = self.world.messages[identity]
            if self._was_forgotten(message.sender_id, message.created_at):
                continue
            if message.sender_id != self.bot_id and message.text and ("message", identity) not in read:
                raise Broken("nothing that was said is lost", f"never read: {message.text!r}")
        for identity in self.world.posts.ids_mentioning(self.bot_id):
            post = self.world.posts[identity]
            shown = self.world.posts.is_visible(post, self.bot_id) and self.world.posts.is_current(post)
            if self._was_forgotten(post.author_id, instant_of(post.first_id)):
                continue
            if shown and ("post", identity) not in read:
                raise Broken("nothing that was said is lost", f"never read: {post.text!r}")

    def _was_forgotten(self, person: int, at: datetime) -> bool:
        """Whether somebody was perhaps erased after this."""
        erasing_at = self.model.people[person].wishes.erasing_at
        return erasing_at is not None and at <= erasing_at + MINUTE

    def _who_was_erased_is_forgotten(self) -> None:
        """Nothing of what they said before is left, and no payment names them."""
        for person, who in self.model.people.items():
            if who.wishes.erased_at is None:
                continue
            until = (who.wishes.erased_at - EPOCH) // timedelta(microseconds=1)
            left = {
                "words": "SELECT count(*) FROM inbox WHERE person_id = ? AND said_at <= ?",
                "orders": "SELECT count(*) FROM intents WHERE payer_id = ? AND created_at <= ?",
            }
            for what, asked in left.items():
                if number := self.books.one(asked, person, until):
                    raise Broken("who was erased is forgotten", f"{number} {what} of {self.name_of(person)}")

    def _everything_was_told(self) -> None:
        self._each_send_is_known()
        for reference, lines in self.model.paid.items():
            if not lines:
                continue
            self._must_have_heard(lines[0].payer, ("paid",), reference, since=lines[0].at)
            for line in lines:
                self._must_know_its_end(line)
        for asked in self.model.asked.values():
            newest = self.model.by_reference[asked.question.reference][-1]
            if asked is newest and not self.model.paid[asked.question.reference]:
                self._must_have_heard(
                    asked.person,
                    ("cancelled", "expired", "withdrawn", "lapsed"),
                    asked.question.reference,
                    since=asked.question.heard_at,
                    or_refused=True,
                )

    def _must_know_its_end(self, line: Paid) -> None:
        reference = line.reference
        end = _END_TOLD.get(line.state)
        if end is not None:
            self._must_have_heard(line.payer, end, reference, since=line.at)
        if line.refunded_at is not None:
            self._must_have_heard(line.payer, ("refunded",), reference, since=line.refunded_at)
            if line.state != "set free":
                self._must_have_heard(line.payee, ("refund taken",), reference, since=line.refunded_at)
        if line.state in {"paid", "claimed", "returned", "refunded"} and line.payee_muted is Sure.NO:
            self._must_have_heard(line.payee, ("received", "claimed"), reference, since=line.at)

    def _must_have_heard(
        self, person: int, what: tuple[str, ...], reference: str, *, since: datetime, or_refused: bool = False
    ) -> None:
        if any(self.model.told[person, each, reference] for each in what):
            return
        who = self.model.people[person]
        last = next(
            (words for at, words in reversed(who.said) if words in {"start", "stop"} and at < since), ""
        )
        left = any(at >= since - timedelta(days=1) and words == "stop" for at, words in who.said)
        if left or last == "stop" or person in self.blocked_once or self._was_forgotten(person, since):
            return
        if or_refused and (who.refusals_heard or self._was_changed(reference)):
            return
        raise Broken(
            "everybody is told", f"{self.name_of(person)} never heard of {reference} that it was {what}"
        )

    def _was_changed(self, reference: str) -> bool:
        return any(asked.disturbed for asked in self.model.by_reference[reference])

    def _each_send_is_known(self) -> None:
        """What X has of the bot is what the outbox says was sent: nothing twice, nothing unknown. What was perhaps sent
        and is dropped, because nothing is asked any more, may be there too."""
        said = {
            identity: self.world.messages[identity]
            for identity in self.world.messages.ids_of(self.bot_id)
            if self.world.messages[identity].sender_id == self.bot_id
        }
        sent = self.books.all("SELECT sent_id FROM outbox WHERE state = 'sent' AND kind = 'message'")
        if (None,) in sent:
            raise Broken("each message is sent once", "the outbox says so of one that X does not know")
        known = {int(str(row[0])) for row in sent}
        perhaps = Counter(
            int(str(row[0]))
            for row in self.books.all(
                "SELECT person_id FROM outbox WHERE state IN ('dropped', 'failed') AND attempted_at IS NOT NULL"
            )
        )
        extra = Counter(
            _partner(message, self.bot_id) for identity, message in said.items() if identity not in known
        )
        farewells = {
            _partner(message, self.bot_id): message.created_at
            for _, message in sorted(said.items())
            if told.WISHES["erased"].search(message.text)
        }
        for identity, message in said.items():
            pair = _partner(message, self.bot_id)
            erasing_at = self.model.people[pair].wishes.erasing_at
            if erasing_at is None or identity in known:
                continue
            if message.created_at <= max(erasing_at, farewells.get(pair, erasing_at)) + HOUR:
                extra[pair] -= 1  # the book has forgotten what it told them
        if known - said.keys() or extra - perhaps:
            words = [message.text for identity, message in said.items() if identity not in known]
            raise Broken(
                "each message is sent once", f"not known: {words}; never sent: {known - said.keys()}"
            )

    def told(self) -> Told:
        happened = self.happened + self.disk.struck + self.seams.struck + self.faults.struck
        return Told(self.seed, self.steps, self.model.confirmed, self.habits, self.troubles, happened)


_END_TOLD = {
    "claimed": ("claimed by payee",),
    "cancelled": ("taken back",),
    "declined": ("declined by payee",),
    "cancelled or declined": ("taken back", "declined by payee"),
    "expired": ("unclaimed",),
    "returned": ("returned by payee",),
}


def _rules_of(settings: Settings) -> Rules:
    return Rules(
        per_payment={True: 250_00, False: 50_00},
        per_day={True: 500_00, False: 100_00},
        hold=timedelta(days=settings.hold_days),
        wrong_before_lock=settings.wrong_answers_before_lock,
        lock=timedelta(minutes=settings.lock_minutes),
        answer_may_wait=timedelta(hours=settings.answer_max_age_hours),
    )


def _partner(message: Any, bot_id: int) -> int:
    """With whom the bot has this conversation."""
    return sum(map(int, message.conversation_id.split("-"))) - bot_id


def _account(person: Any) -> Any:
    from bot.x.gateway import XUser  # noqa: PLC0415

    return XUser(UserId(person.id), person.username, person.name)


def _times(number: int) -> Callable[[], bool]:
    left = iter(range(number))
    return lambda: next(left, None) is not None


@contextmanager
def _logs(run: Run) -> Iterator[None]:
    """What the program logs as its own fault breaks the run; all else is quiet."""
    before = structlog.get_config()

    def look(_: Any, __: str, event: Any) -> Any:
        if not run.disk.dead and (event["event"] in NEVER_LOGGED or event["event"].endswith(".fault")):
            import sys  # noqa: PLC0415

            run.broken = Broken("no fault of the program's own", f"{event} {sys.exc_info()[1]!r}")
        raise structlog.DropEvent

    structlog.configure(processors=[look], wrapper_class=structlog.make_filtering_bound_logger(40))
    try:
        yield
    finally:
        structlog.configure(**before)
