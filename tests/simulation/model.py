"""What each person should own, told by nothing but what people did and what they were told.

It knows no table of the bot's and uses none of its code. The ledger's new transfers are shown to it one by one, and
each must be what somebody allowed: a right answer in time to an open question, a "start" that claims, a "cancel", a
"decline", a "return", or time that ran out. Where the order of two events was not for anybody to know (an edit and an
answer on their way at the same moment), both ends are right, and the model takes the one that came; what is certain
it demands.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.simulation.told import Question, Saying, SmallQuestion, Wish
from tests.simulation.wishes import ENDING_WORDS, Choice, Sure, Wishes

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
MOST_WRONG = 20
"""So many wrong answers in 30 days bar somebody."""


class Broken(AssertionError):
    """A promise does not hold; `promise` is its short name."""

    def __init__(self, promise: str, detail: str) -> None:
        super().__init__(f"{promise}: {detail}")
        self.promise = promise


@dataclass(slots=True)
class Version:
    """One version of an order as its author wrote it. `payees` are those who could be meant: one id each, or, where the
    handle had to be looked up, everybody who held it since."""

    note: str
    author: int
    chain: int
    handles: tuple[str, ...]
    payees: tuple[int, ...]
    amounts: tuple[int, ...]
    at: datetime
    by_look_up: bool = False
    post: int = 0
    """This version's own id; 0 in private."""
    unread_since: datetime | None = None
    """What its author said after this had perhaps not been read when they ordered, and may be read after the order."""

    @property
    def total(self) -> int:
        return sum(self.amounts)


@dataclass(slots=True)
class Asked:
    """A question somebody was asked, and what became of it as far as people know."""

    person: int
    question: Question
    version: Version
    ended: str | None = None
    """What its person was told that ends it."""
    ended_at: datetime | None = None
    disturbed: bool = False
    """Somebody did something since that may end it before it is answered."""


@dataclass(slots=True)
class Answer:
    """A right code, said by its owner."""

    asked: Asked
    at: datetime
    certain: bool
    """In time, undisturbed, by somebody who is surely not locked: it must be paid, or refused with a sentence."""
    refusals_before: int = 0


@dataclass(slots=True)
class Held:
    """Money set aside for somebody who had not come."""

    transfer_id: int
    reference: str
    payer: int
    payee: int
    amount: int
    at: datetime


@dataclass(slots=True)
class Paid:
    """One line that moved."""

    reference: str
    payer: int
    payee: int
    amount: int
    at: datetime
    state: str
    """paid, held, claimed, cancelled, declined, expired, returned, refunded, or set free by an admin; or "cancelled or
    declined", where both sides said so and nobody can know whose word was read first."""
    payer_private: Sure = Sure.NO
    payee_muted: Sure = Sure.NO
    refunded: int = 0
    """How much of it an admin gave back, and when."""
    refunded_at: datetime | None = None


@dataclass(slots=True)
class Rules:
    """What the world was told are the rules."""

    per_payment: dict[bool, int]
    """The most in cents, by whether the operator knows who somebody is; as docs/limits.md has it."""
    per_day: dict[bool, int]
    hold: timedelta
    wrong_before_lock: int
    lock: timedelta
    answer_may_wait: timedelta
    unordered: bool = False
    """What somebody said may be read after what they said later: X pushes it in any order."""


@dataclass(slots=True)
class Person:
    """What the model remembers of one person's own acts."""

    said: list[tuple[datetime, str]] = field(default_factory=list)
    wrong_certain: int = 0
    """Wrong answers in a row that surely count."""
    wrong_possible: int = 0
    """Wrong answers in a row that may count."""
    surely_locked_until: datetime | None = None
    maybe_locked_until: datetime | None = None
    refusals_heard: int = 0
    too_full: bool = False
    """They were told that what is held does not fit into their wallet, or came while payments were paused."""
    wrong_in_all: int = 0
    wishes: Wishes = field(default_factory=Wishes)
    told: Counter[str] = field(default_factory=Counter)
    """What they were told of no payment."""


class Model:
    def __init__(self, rules: Rules, newer_is_worked: Callable[[Version], bool] = lambda _: False) -> None:
        self.rules = rules
        self._newer_is_worked = newer_is_worked
        """Whether a later version of the same post has been read and worked by now."""
        self.posted: Counter[int] = Counter()
        self.set_aside: Counter[int] = Counter()
        self.people: dict[int, Person] = defaultdict(Person)
        self.versions: dict[str, Version] = {}
        self.asked: dict[tuple[int, str], Asked] = {}
        """By person and code."""
        self.by_reference: dict[str, list[Asked]] = defaultdict(list)
        self.answers: dict[str, list[Answer]] = defaultdict(list)
        """Right codes said by their owners, by reference."""
        self.paid: dict[str, list[Paid]] = defaultdict(list)
        self.held: dict[int, Held] = {}
        self.posted_lines: dict[int, Paid] = {}
        """What a return can take back, by transfer."""
        self.told: Counter[tuple[int, str, str]] = Counter()
        """Person, what, reference."""
        self.holders: dict[str, list[tuple[datetime, int]]] = defaultdict(list)
        """Who held a handle since when."""
        self.not_listening = timedelta()
        """For how long in all nobody listened, in gaps of ten minutes and more: ends of holds moved on by it."""
        self.balances: dict[tuple[int, str], int] = {}
        """What a payer could spend after a payment."""
        self.changed: dict[int, datetime] = {}
        """When a post was last edited or deleted, by its chain."""
        self.identified: set[int] = set()
        self.confirmed = 0
        self.names_of: dict[int, str] = {}
        """Display names, as they stand in brackets after a handle."""
        self.paused_at: datetime | None = None
        """Since when admins have payments paused."""
        self.by_admins: Counter[tuple[str, str | int, int]] = Counter()
        """What admins are moving just now: how, of which payment or whose, how much; at most once each."""

    # What people do

    def funded(self, person: int, amount: int) -> None:
        self.posted[person] += amount

    def names(self, person: int, handle: str, at: datetime) -> None:
        self.holders[handle.lower()].append((at, person))

    def bore(self, person: int) -> set[str]:
        """Every handle this person ever had."""
        return {
            handle for handle, holders in self.holders.items() if any(who == person for _, who in holders)
        }

    def orders(self, version: Version) -> None:
        self.versions[version.note] = version

    def changes(self, chain: int, at: datetime) -> None:
        """Its author edits or deletes the post: from now on anything may come of the questions about it."""
        self.changed[chain] = at
        for asked in self.asked.values():
            if asked.version.chain == chain:
                self._disturb(asked)

    def says(self, person: int, words: str, at: datetime) -> None:
        """Any private message that is no code."""
        who = self.people[person]
        who.said.append((at, words))
        first, _, rest = words.partition(" ")
        who.wishes.says(first, rest)
        if first == "start" and self.paused_at is not None:
            who.too_full = True
        if first in ENDING_WORDS:
            self._disturb_all_of(person)

    def _disturb(self, asked: Asked) -> None:
        asked.disturbed = True
        for answer in self.answers[asked.question.reference]:
            answer.certain = False

    def all_uncertain(self) -> None:
        """Such a long time went by that nothing need be counted any more."""
        for answers in self.answers.values():
            for answer in answers:
                answer.certain = False

    def answers_with(self, person: int, words: str, at: datetime) -> str:
        """A message that has the shape of a code; says what it was."""
        letter, digits = words[0].upper() if words[0].isalpha() else None, "".join(filter(str.isdigit, words))
        if (about := self.people[person].wishes.answers(letter, digits, at)) is not None:
            self.people[person].wrong_certain = 0
            self._may_be_wrong(self.people[person], at)
            self._disturb_all_of(person)
            if about == "erase":  # what others decided about them ends with it
                for other in self.people.values():
                    if (block := other.wishes.blocks.get(person)) is not None:
                        block.is_lost()
            return f"right {about}"
        mine = [asked for (who, _), asked in self.asked.items() if who == person]
        fitting = [
            asked
            for asked in mine
            if asked.question.digits == digits and letter in {None, asked.question.letter}
        ]
        who = self.people[person]
        if fitting:
            for asked in fitting:
                self._right(person, asked, at, certain=letter is not None and len(fitting) == 1)
            who.wrong_certain = 0
            if any(self._surely_open(asked, at) for asked in fitting) and not self.rules.unordered:
                who.wrong_possible = 0
            return "right"
        not_locked = self._not_locked(who, at)
        self._may_be_wrong(who, at)
        tried = [
            asked
            for asked in mine
            if letter in {None, asked.question.letter} and self._surely_open(asked, at)
        ]
        if len(tried) == 1 and letter is not None and not_locked and not self.rules.unordered:
            who.wrong_certain += 1
        if who.wrong_certain >= self.rules.wrong_before_lock:
            who.surely_locked_until = at + self.rules.lock
            who.wrong_certain = 0
        return "wrong"

    def _may_be_wrong(self, who: Person, at: datetime) -> None:
        who.wrong_possible += 1
        who.wrong_in_all += 1
        if who.wrong_possible >= self.rules.wrong_before_lock:
            who.maybe_locked_until = at + (2 if who.wrong_in_all < MOST_WRONG else 30) * DAY

    def _disturb_all_of(self, person: int) -> None:
        for asked in self.asked.values():
            if asked.person == person:
                self._disturb(asked)

    def _right(self, person: int, asked: Asked, at: datetime, *, certain: bool) -> None:
        who = self.people[person]
        certain = (
            certain
            and self._surely_open(asked, at)
            and (who.maybe_locked_until is None or at > who.maybe_locked_until)
            and not self.answers[asked.question.reference]
        )
        locked = who.surely_locked_until is not None and at < who.surely_locked_until
        if locked or at >= asked.question.until + MINUTE:
            return  # it must never be paid for this
        if asked.ended_at is not None and at > asked.ended_at:
            return
        if self._newer_is_worked(asked.version):
            return
        self.answers[asked.question.reference].append(Answer(asked, at, certain, who.refusals_heard))

    def _surely_open(self, asked: Asked, at: datetime) -> bool:
        return not asked.disturbed and asked.ended is None and at < asked.question.until

    @staticmethod
    def _not_locked(who: Person, at: datetime) -> bool:
        return who.maybe_locked_until is None or at > who.maybe_locked_until

    # What people are told

    def is_asked(self, person: int, question: Question) -> None:
        version = self.versions.get(question.note)
        if version is None or version.author != person:
            raise Broken("asked only what was ordered", f"{question.note!r} is no order of {person}")
        if question.total_minor != version.total:
            raise Broken(
                "the question tells the truth", f"{question.total_minor} asked, {version.total} ordered"
            )
        self._check_shown(question, version)
        key = (person, question.code)
        twice = [a for a in self.by_reference[question.reference] if a.version.note == question.note]
        if twice:
            raise Broken(
                "one question for a version", f"{question.reference} was asked twice: {question.note}"
            )
        asked = Asked(person, question, version)
        asked.disturbed = self._may_have_changed(person, version)
        for older in self.by_reference[question.reference]:
            self._end(older, "replaced", question.heard_at)
        self.asked[key] = asked
        self.by_reference[question.reference].append(asked)

    def _may_have_changed(self, person: int, version: Version) -> bool:
        """Whether its author did anything that may end it: since the order, or before it by a word that may be read after it."""
        since = version.at if version.unread_since is None else min(version.at, version.unread_since)
        return self.changed.get(version.chain, version.at) > version.at or any(
            at >= since and words.split()[0] in ENDING_WORDS for at, words in self.people[person].said
        )

    def _check_shown(self, question: Question, version: Version) -> None:
        known = [self.bore(payee) | set(version.handles) for payee in version.payees]
        for handle in question.handles:
            if not any(handle.lower() in names for names in known):
                raise Broken(
                    "the question tells the truth", f"@{handle} is shown, {version.handles} was ordered"
                )

    def hears(self, person: int, saying: Saying, at: datetime) -> None:
        self.told[person, saying.what, saying.reference] += 1
        if self.told[person, saying.what, saying.reference] > self._times(saying):
            raise Broken("told once", f"{saying.what} {saying.reference} was told again to {person}")
        for asked in self.by_reference[saying.reference]:
            if asked.person == person and saying.what in {
                "cancelled",
                "expired",
                "withdrawn",
                "lapsed",
                "changed",
            }:
                self._end(asked, saying.what, at)
        self._check_true(person, saying)

    def _times(self, saying: Saying) -> int:
        """How often it may be told: once, but for what answers the same message said again, and lines of one payee."""
        if saying.what in {"changed", "already paid", "expired", "lapsed", "withdrawn"}:
            return 1_000
        if saying.what == "taken back":
            return len(self.paid[saying.reference])
        if saying.what in {
            "claimed by payee",
            "declined by payee",
            "unclaimed",
            "returned by payee",
            "refunded",
        }:
            return len(self.paid[saying.reference])
        return 1

    def _end(self, asked: Asked, what: str, at: datetime) -> None:
        if what == "changed" and asked is self.by_reference[asked.question.reference][-1]:
            return  # it tells of an older one
        if asked.ended is None:
            asked.ended, asked.ended_at = what, at

    def _check_true(self, person: int, saying: Saying) -> None:
        lines = self.paid[saying.reference]
        if saying.what == "paid":
            total = sum(line.amount for line in lines)
            if not lines or lines[0].payer != person or total != saying.amount_minor:
                raise Broken("receipts match the ledger", f"{saying} told to {person}, paid: {lines}")
            if saying.balance_minor != self.balances[person, saying.reference]:
                should = self.balances[person, saying.reference]
                raise Broken("receipts match the ledger", f"{saying}: the balance should be {should}")
        elif saying.what in {"received", "claimed"}:
            mine = [line for line in lines if line.payee == person and line.amount == saying.amount_minor]
            if not mine:
                raise Broken("receipts match the ledger", f"{saying} told to {person}, paid: {lines}")
            if saying.what == "received":
                self._check_wishes(saying, mine[0])
        elif saying.what in {"refunded", "refund taken"}:
            side = "payer" if saying.what == "refunded" else "payee"
            if not any(
                getattr(line, side) == person and line.refunded == saying.amount_minor for line in lines
            ):
                raise Broken("receipts match the ledger", f"{saying} told to {person}, but {lines}")
        elif saying.what in _STATE_TOLD:
            state, side = _STATE_TOLD[saying.what]
            fitting = [
                line
                for line in lines
                if state in line.state.split(" or ")
                and line.amount == saying.amount_minor
                and getattr(line, side) == person
            ]
            # What was claimed may have been returned since, or given back.
            if not fitting and not any(line.state in {"returned", "refunded"} for line in lines):
                raise Broken("receipts match the ledger", f"{saying} told to {person}, but {lines}")
        elif (
            saying.what in {"expired", "withdrawn", "lapsed"} and len(self.by_reference[saying.reference]) > 1
        ):
            return  # of an earlier version, before the edit that was paid
        elif saying.what in {"cancelled", "expired", "withdrawn", "lapsed"} and lines:
            raise Broken("receipts match the ledger", f"{saying} told to {person}, but it was paid: {lines}")

    def _check_wishes(self, saying: Saying, line: Paid) -> None:
        if line.payee_muted is Sure.YES:
            raise Broken("who muted their receipts is not told of each", f"{saying}: {line}")
        if line.payer_private is Sure.YES and f"({self.names_of[line.payer]})" in saying.words:
            raise Broken("who is private is shown by their handle alone", f"{saying}: {line}")

    def is_asked_small(self, person: int, question: SmallQuestion) -> None:
        """Whether to thaw, or to be erased."""
        who = self.people[person]
        wanted = "thaw" if question.what == "thaw" else "erase"
        words = {"thaw", "unfreeze"} if wanted == "thaw" else {"erase me", "forget me"}
        if not any(said in words for _, said in who.said):
            raise Broken("asked only what was wished", f"{person} was asked to {wanted}")
        who.wishes.questions.append(question)

    def hears_wish(self, person: int, wish: Wish, at: datetime) -> None:
        """What became of a word about the account."""
        who = self.people[person]
        who.told[wish.what] += 1
        wishes = who.wishes
        match wish.what:
            case "frozen":
                wishes.frozen.is_heard()
            case "muted" | "unmuted":
                wishes.muted.is_heard()
            case "private" | "public":
                wishes.private.is_heard()
            case "blocked" | "unblocked":
                self._is_blocked(wishes, wish)
            case "erased":
                self._is_erased(person, who)
            case "thawed" if (
                not any(asked.what == "thaw" for asked in wishes.questions)
                and not who.told["thawed by an admin"]
            ):
                raise Broken("only its owner thaws an account", f"{person} at {at}")
            case _:
                pass

    def _is_blocked(self, wishes: Wishes, wish: Wish) -> None:
        """Whom it names is only sure where nobody else ever had the handle."""
        named = {person for handle in wish.handles for _, person in self.holders[handle.lower()]}
        if len(named) == 1:
            wishes.blocks.get(named.pop(), Choice()).is_heard()

    def _is_erased(self, person: int, who: Person) -> None:
        wishes = who.wishes
        if wishes.erasing_since is None:
            raise Broken("nobody is erased without their word", str(person))
        wishes.erased_at, wishes.erasing_since = wishes.erasing_since, None
        self.identified.discard(person)
        who.said = [
            (at, words) for at, words in who.said if at > wishes.erased_at or not words.startswith("start")
        ]
        who.too_full = True  # whether what is held for them fits is another question from now on

    def is_let_go(self, person: int, at: datetime) -> None:
        """They were told that they have left: no question put to them before counts any more."""
        left_at = max((said for said, words in self.people[person].said if words == "stop"), default=None)
        if left_at is None:
            raise Broken("nobody is let go without their word", str(person))
        for asked in self.asked.values():
            if asked.person == person and asked.question.heard_at < left_at:
                self._end(asked, "cancelled", at)

    def refused(self, person: int) -> None:
        self.people[person].refusals_heard += 1

    # What the ledger did

    def moved(
        self, reference: str, payer: int, lines: list[tuple[int, int, int, bool]], at: datetime
    ) -> None:
        """A payment was booked: lines of transfer id, payee, amount, and whether it is set aside."""
        self._may_move(f"{reference} was paid")
        if self.paid[reference]:
            raise Broken("one order pays at most once", f"{reference} was paid again")
        if self.people[payer].wishes.is_surely_frozen:
            raise Broken("nothing leaves a frozen wallet", f"{reference} was paid by {payer}")
        self._check_blocks(payer, [payee for _, payee, _, _ in lines])
        answer = self._allows(reference, payer, lines)
        if answer is None:
            raise Broken(
                "nothing moves without its payer's answer",
                f"{reference}: {lines} paid by {payer}; answers: {self.answers[reference]}",
            )
        total = sum(amount for _, _, amount, _ in lines)
        self._check_limits(payer, total, at)
        if at - answer.at > self.rules.answer_may_wait + MINUTE:
            raise Broken(
                "answers in time only", f"{reference} was paid {at - answer.at} after it was answered"
            )
        self.confirmed += 1
        for transfer_id, payee, amount, is_held in lines:
            line = Paid(reference, payer, payee, amount, at, "held" if is_held else "paid")
            line.payer_private = self.people[payer].wishes.private.sure
            line.payee_muted = self.people[payee].wishes.muted.sure
            self.paid[reference].append(line)
            if not is_held and not any(words == "start" for _, words in self.people[payee].said):
                raise Broken("money waits for who has not come", f"{line} was posted at once")
            if is_held:
                self.held[transfer_id] = Held(transfer_id, reference, payer, payee, amount, at)
                self.set_aside[payer] += amount
            else:
                self.posted[payer] -= amount
                self.posted[payee] += amount
                self.posted_lines[transfer_id] = line
        answer.asked.ended, answer.asked.ended_at = "paid", at
        self.balances[payer, reference] = self.posted[payer] - self.set_aside[payer]

    def _may_move(self, what: str) -> None:
        if self.paused_at is not None:
            raise Broken("nothing moves while payments are paused", what)

    def _check_blocks(self, payer: int, payees: list[int]) -> None:
        for payee in payees:
            for one, other in ((payer, payee), (payee, payer)):
                choice = self.people[one].wishes.blocks.get(other)
                if choice is not None and choice.sure is Sure.YES:
                    raise Broken("who is blocked neither pays nor is paid", f"{one} blocks {other}")

    def _allows(self, reference: str, payer: int, lines: list[tuple[int, int, int, bool]]) -> Answer | None:
        for answer in self.answers[reference]:
            asked = answer.asked
            if asked.person != payer or asked.ended in {
                "cancelled",
                "withdrawn",
                "expired",
                "lapsed",
                "paid",
            }:
                continue
            if asked.ended == "replaced" and asked.ended_at is not None and answer.at > asked.ended_at:
                continue
            if self._fits(asked.version, [(payee, amount) for _, payee, amount, _ in lines]):
                return answer
        return None

    def _fits(self, version: Version, lines: list[tuple[int, int]]) -> bool:
        if not version.by_look_up:
            return sorted(lines) == sorted(zip(version.payees, version.amounts, strict=True))
        wanted = sorted(version.amounts)
        return sorted(amount for _, amount in lines) == wanted and all(
            any(payee in self._held_since(handle, version.at) for handle in version.handles)
            for payee, _ in lines
        )

    def _held_since(self, handle: str, since: datetime) -> set[int]:
        """Everybody who held this handle at that time or later."""
        holders = self.holders[handle.lower()]
        first = max((index for index, (at, _) in enumerate(holders) if at <= since), default=0)
        return {person for _, person in holders[first:]}

    def _check_limits(self, payer: int, total: int, at: datetime) -> None:
        known = payer in self.identified
        if total > self.rules.per_payment[known]:
            raise Broken("limits hold", f"{payer} paid {total} at once")
        came_back = {"cancelled", "declined", "cancelled or declined", "expired", "set free"}
        fresh_since = self.people[payer].wishes.erasing_at or at - DAY
        day = sum(
            line.amount
            for lines in self.paid.values()
            for line in lines
            if line.payer == payer and line.at > max(at - DAY, fresh_since) and line.state not in came_back
        )
        if day + total > self.rules.per_day[known]:
            raise Broken("limits hold", f"{payer} paid {day + total} within a day")

    def claimed(self, pending_id: int, transfer_id: int, at: datetime) -> None:
        held = self._resolves(pending_id, "claimed")
        self._may_move(f"{held} was claimed")
        end = held.at + self.rules.hold + self.not_listening + MINUTE
        if not any(words.startswith("start") and said <= end for said, words in self.people[held.payee].said):
            raise Broken("held money is claimed by its payee, in time", f"{held} claimed at {at}")
        self.posted[held.payer] -= held.amount
        self.posted[held.payee] += held.amount
        self.posted_lines[transfer_id] = self._line(held)

    def voided(self, pending_id: int, at: datetime) -> None:
        held = self._resolves(pending_id, "cancelled")
        if self._by_an_admin("refund", held.reference, held.amount):
            line = self._line(held)
            line.state, line.refunded, line.refunded_at = "set free", held.amount, at
            return
        self._may_move(f"{held} was given up")
        cancels = self._said_about(held.payer, "cancel", held.reference, held.at, at, only_named=True)
        declines = self._said_about(held.payee, "decline", held.reference, held.at, at, only_named=False)
        if not (cancels or declines):
            raise Broken("held money goes back only where somebody says so", f"{held} was voided at {at}")
        if declines:
            self._line(held).state = "cancelled or declined" if cancels else "declined"

    def _said_about(
        self, person: int, verb: str, reference: str, since: datetime, until: datetime, *, only_named: bool
    ) -> bool:
        wanted = {f"{verb} {reference.lower()}"} | (set() if only_named else {verb})
        # What was said a moment before the payment may be read after it.
        return any(
            since - DAY <= at <= until and words.lower() in wanted for at, words in self.people[person].said
        )

    def ran_out(self, pending_id: int, at: datetime) -> None:
        held = self._resolves(pending_id, "expired")
        self._may_move(f"{held} ran out")
        due = held.at + self.rules.hold
        if at < due:
            raise Broken("held money waits its whole time", f"{held} expired at {at}")
        said = self.people[held.payee].said
        came = [when for when, words in said if words.startswith("start") and held.at < when <= due]
        left = [when for when, words in said if words == "stop" and when > held.at]
        if came and not left and not self.people[held.payee].too_full:
            raise Broken(
                "who comes in time gets what is held", f"{held} expired, its payee came at {came[0]}"
            )

    def _resolves(self, pending_id: int, state: str) -> Held:
        held = self.held.pop(pending_id, None)
        if held is None:
            raise Broken("held money is resolved once", f"{pending_id} was {state} again")
        self.set_aside[held.payer] -= held.amount
        self._line(held).state = state
        return held

    def _line(self, held: Held) -> Paid:
        fitting = [line for line in self.paid[held.reference] if line.payee == held.payee]
        return fitting[0]

    def returned(self, reversed_id: int, at: datetime) -> None:
        line = self.posted_lines.pop(reversed_id, None)
        if line is None:
            raise Broken("money goes back once", f"{reversed_id} was returned again")
        if not self._said_about(line.payee, "return", line.reference, line.at, at, only_named=False):
            raise Broken("only its payee sends money back", f"{line} was returned at {at}")
        self._may_move(f"{line} was returned")
        if self.people[line.payee].wishes.is_surely_frozen:
            raise Broken("nothing leaves a frozen wallet", f"{line} was returned")
        line.state = "returned"
        self.posted[line.payee] -= line.amount
        self.posted[line.payer] += line.amount

    # What admins did

    def admins_pause(self, at: datetime) -> None:
        self.paused_at = at

    def admins_resume(self, at: datetime) -> None:
        if self.paused_at is not None:
            self.not_listening += at - self.paused_at
        self.paused_at = None

    def admin_freezes(self, person: int, *, frozen: bool) -> None:
        """At once: whatever they were asked ends with it."""
        who = self.people[person]
        who.wishes.frozen_by_operator = frozen
        if frozen:
            self._disturb_all_of(person)
        else:
            who.wishes.frozen.sure = Sure.MAYBE
            who.told["thawed by an admin"] += 1

    def _by_an_admin(self, how: str, what: str | int, amount: int) -> bool:
        expected = self.by_admins[how, what, amount] > 0
        if expected:
            self.by_admins[how, what, amount] -= 1
        return expected

    def refunded(self, reversed_id: int, amount: int, at: datetime) -> None:
        line = self.posted_lines.pop(reversed_id, None)
        if line is None:
            raise Broken("money goes back once", f"{reversed_id} was returned again")
        if not self._by_an_admin("refund", line.reference, amount):
            raise Broken("only admins refund", f"{amount} of {line} went back at {at}")
        line.refunded, line.refunded_at = amount, at
        if amount == line.amount:
            line.state = "refunded"
        self.posted[line.payee] -= amount
        self.posted[line.payer] += amount

    def moved_by_admins(self, how: str, person: int, amount: int) -> None:
        """What came from or went to the bank or the operator's own money; `amount` is below zero for what left."""
        if not self._by_an_admin(how, person, abs(amount)):
            raise Broken("every movement has its reason", f"{how} of {amount} to {person}")
        self.posted[person] += amount


_STATE_TOLD = {
    "taken back": ("cancelled", "payer"),
    "claimed by payee": ("claimed", "payer"),
    "declined by payee": ("declined", "payer"),
    "unclaimed": ("expired", "payer"),
    "returned by payee": ("returned", "payer"),
    "declined": ("declined", "payee"),
    "returned": ("returned", "payee"),
}
