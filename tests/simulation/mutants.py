"""Small, plausible bugs, to show that the simulator can fail: each is put in by name, by replacing exact lines of the
source while it is imported. Where the lines are not found, the mutant has rotted, and that is an error.
"""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

STEPS = 50_000


@dataclass(frozen=True)
class Change:
    """In this module these lines become those."""

    module: str
    old: str
    new: str


@dataclass(frozen=True)
class Mutant:
    name: str
    what: str
    changes: tuple[Change, ...]


def _mutant(name: str, what: str, *changes: tuple[str, str, str]) -> Mutant:
    return Mutant(name, what, tuple(Change(*change) for change in changes))


MUTANTS = (
    _mutant(
        "no-dedup",
        "a message or post that is read twice is stored twice",
        ("bot.store.inbox", "            if message.id not in before\n", ""),
        (
            "bot.store.inbox",
            "        known = self._known(session, kind, x_id)\n",
            """\
        while self._known(session, kind, x_id):
            x_id += 1
        known = self._known(session, kind, x_id)
""",
        ),
    ),
    _mutant(
        "cursor-too-early",
        "the cursor of the messages moves before they are in hand",
        (
            "bot.x.listening",
            "        messages, unreadable = _all_pages(\n",
            """\
        newest = first_id_at(started_at)
        self.database.write(lambda session: self._move_cursor(session, MESSAGES, newest, started_at))
        messages, unreadable = _all_pages(
""",
        ),
    ),
    _mutant(
        "first-page-only",
        "a list is read no further than its first page",
        (
            "bot.x.listening",
            "        if token is None or token in seen or reached:\n",
            "        if items or reached:\n",
        ),
    ),
    _mutant(
        "code-not-bound-to-payee",
        "an edit leaves the old question open, so its code pays whom the new version names",
        (
            "bot.payments.story",
            '            self._records.end_challenges(session, intent, "superseded")\n        if self._terms',
            "            pass\n        if self._terms",
        ),
    ),
    _mutant(
        "superseded-code-accepted",
        "a code of before an edit still counts",
        (
            "bot.payments.answers",
            'challenges = self.records.challenges(session, payer.user_id, "open")\n',
            'challenges = self.records.challenges(session, payer.user_id, "open", "superseded")\n',
        ),
    ),
    _mutant(
        "expiry-ignored",
        "a code counts however late it comes",
        (
            "bot.payments.challenge",
            "    if answered_at > asked.expires_at:\n        return Verdict.LATE\n",
            "",
        ),
    ),
    _mutant(
        "answer-judged-when-read",
        "an answer's time is the time it was read, not the time it was said",
        (
            "bot.payments.story",
            "answered_at=instant_of(said_in)",
            "answered_at=self._clock()",
        ),
    ),
    _mutant(
        "answered-question-stays-open",
        "a right answer does not use the question up",
        (
            "bot.payments.story",
            '        challenge.state = "answered"\n        session.add(challenge)\n',
            "",
        ),
    ),
    _mutant(
        "hold-released-twice",
        "what became of a hold is not written down, so it is released again",
        ("bot.payments.claims", "        line.state = state\n        session.add(line)\n", ""),
    ),
    _mutant(
        "retry-without-look-up",
        "a send of unknown fate is sent again at once",
        (
            "bot.channels.courier",
            'look_first = row.state in {"unknown", "sending"}',
            "look_first = False",
        ),
    ),
    _mutant(
        "lease-too-short",
        "a row that is being sent is taken for abandoned by the other worker",
        ("bot.channels.courier", "LEASE = timedelta(minutes=5)\n", "LEASE = timedelta(seconds=-1)\n"),
    ),
    _mutant(
        "sent-before-it-is-sent",
        "a row is marked as sent when it is claimed",
        ("bot.channels.courier", '            each.state = "sending"\n', '            each.state = "sent"\n'),
    ),
    _mutant(
        "balance-checked-before-the-lock",
        "money is looked at when the order comes, and not again when it is paid",
        (
            "bot.payments.story",
            "            self._check_intent(session, payer, intent)\n            self._posting.post",
            "            self._posting.post",
        ),
        ("bot.payments.wallets", "            guarded=True,\n", ""),
    ),
    _mutant(
        "old-edit-wins",
        "an older version that arrives later replaces the newer one",
        (
            "bot.desk",
            "        if self.inbox.newer_version_exists(session, received):\n            return\n",
            "",
        ),
        (
            "bot.payments.story",
            "        if order.version <= intent.version:\n",
            "        if order.version == intent.version:\n",
        ),
    ),
    _mutant(
        "receipt-lost",
        "the first payee of a payment hears nothing of it",
        (
            "bot.payments.story",
            "        for line in lines:\n            if line.state == LineState.PAID:\n",
            "        for line in lines[1:]:\n            if line.state == LineState.PAID:\n",
        ),
    ),
    _mutant(
        "receipt-shows-another-balance",
        "a receipt tells what is posted, held money not counted as spent",
        (
            "bot.payments.story",
            '                "balance": self._wallets.balance(session, payer).available,\n',
            '                "balance": self._wallets.balance(session, payer).posted,\n',
        ),
    ),
    _mutant(
        "unclaimed-hold-never-expires",
        "money nobody comes for is held for ever",
        (
            "bot.payments.sweep",
            "        due = self.records.holds_due(session, read_until)\n",
            "        due = self.records.holds_due(session, read_until)[:0]\n",
        ),
    ),
    _mutant(
        "unread-answer-expires",
        "a question expires though what its payer said still waits to be read",
        (
            "bot.payments.sweep",
            "        if messages_read_at is not None:\n",
            "        if messages_read_at := self.clock() + STILL_ON_THE_WAY:\n",
        ),
        (
            "bot.payments.sweep",
            "            if is_open and not self.inbox.has_waiting(session, UserId(intent.payer_id)):\n",
            "            if is_open:\n",
        ),
    ),
    _mutant(
        "wrong-answer-counted-for-no-one",
        "wrong answers are not counted, so guessing costs nothing",
        ("bot.payments.answers", "        payer.wrong_answers += 1\n", ""),
    ),
    _mutant(
        "locked-person-may-pay",
        "who is locked is not refused",
        (
            "bot.payments.answers",
            "            self.check_not_locked(payer, answered_at)\n",
            "            pass\n",
        ),
    ),
    _mutant(
        "limits-not-counted",
        "what was paid today is not counted",
        (
            "bot.payments.spending",
            "        return Spent(day_minor, days_30_minor, payments)\n",
            "        return Spent()\n",
        ),
    ),
    _mutant(
        "answer-of-a-third-person",
        "a code counts whoever says it, and the one who was asked pays",
        (
            "bot.payments.queries",
            '        ChallengeRow.payer_id == bindparam("payer"),\n        col(ChallengeRow.state)',
            "        col(ChallengeRow.state)",
        ),
        (
            "bot.payments.story",
            "                self.pay(session, payer, challenge, cause",
            """\
                payer = self._people.get(session, UserId(challenge.payer_id))
                self.pay(session, payer, challenge, cause""",
        ),
    ),
    _mutant(
        "anybody-may-return",
        "who names a payment may send it back",
        (
            "bot.payments.queries",
            'literally(IntentLineRow.state, "paid")).where(\n    IntentLineRow.payee_id == bindparam("payee")\n)\n',
            'literally(IntentLineRow.state, "paid"))\n',
        ),
    ),
    _mutant(
        "anybody-may-decline",
        "what is held for one person is declined, or claimed, by another",
        (
            "bot.payments.queries",
            'HELD_FOR = _HELD.where(IntentLineRow.payee_id == bindparam("payee"))',
            "HELD_FOR = _HELD",
        ),
    ),
    _mutant(
        "anybody-may-cancel-a-hold",
        "who names a payment may take back what is held",
        (
            "bot.payments.queries",
            'SET_ASIDE_BY = _SET_ASIDE.where(IntentRow.payer_id == bindparam("payer"))',
            "SET_ASIDE_BY = _SET_ASIDE",
        ),
    ),
    _mutant(
        "handle-looked-up-later",
        "who is paid is who holds the handle when it is looked up, not when the order was given",
        (
            "bot.telling",
            "payee.username for payee in payees if payee.user_id is None and payee.username not in (known or {})",
            "payee.username for payee in payees if payee.username not in (known or {})",
        ),
        (
            "bot.telling",
            "    user_id = payee.user_id if payee.user_id is not None else known[payee.username].id\n",
            "    user_id = known[payee.username].id\n",
        ),
    ),
    _mutant(
        "all-lines-to-the-first-payee",
        "each line of a payment goes to the first payee's wallet",
        (
            "bot.payments.posting",
            "payees[UserId(line.payee_id)], authorisation_id, state",
            "payees[UserId(lines[0].payee_id)], authorisation_id, state",
        ),
    ),
    _mutant(
        "split-loses-a-cent",
        "what does not divide evenly is dropped",
        (
            "bot.payments.intents",
            "        return order.amount.split([1] * count)\n",
            "        return [Money(order.amount.amount_minor // count, order.amount.currency)] * count\n",
        ),
    ),
    _mutant(
        "posted-to-who-has-not-come",
        "money for somebody who has not enrolled is posted at once",
        (
            "bot.payments.posting",
            "        if payee.standing != Standing.ENROLLED:\n            return LineState.HELD\n",
            "",
        ),
    ),
    _mutant(
        "disk-fault-costs-the-row",
        "a row that could not be worked for a fault of the disk is set aside",
        (
            "bot.work",
            "            if isinstance(error, THE_DATABASE) and not isinstance(error, THE_ROW):\n",
            "            if isinstance(error, THE_DATABASE) and not taken:\n",
        ),
    ),
    _mutant(
        "leaving-cancels-nothing",
        "who leaves and comes back can still answer what was asked before",
        ("bot.people.enrolment", "        self.story.cancel_all(session, person)\n", ""),
    ),
    _mutant(
        "deletion-of-the-order-pays",
        "an edit into no order leaves the question open",
        ("bot.desk", "        self.story.withdraw(session, said.key)\n", ""),
    ),
    _mutant(
        "frozen-wallet-gives",
        "a freeze is told and holds nothing back",
        (
            "bot.people.freezing",
            "        self.wallets.freeze(session, person)\n        if person.frozen_by",
            "        if person.frozen_by",
        ),
        (
            "bot.payments.spending",
            "    if person.frozen_at is not None:\n        raise AccountFrozen\n",
            "    return\n",
        ),
    ),
    _mutant(
        "blocks-not-asked",
        "who is blocked pays and is paid all the same",
        (
            "bot.payments.story",
            "        self._blocks.check(session, payer, (payee_id for payee_id, _ in gifts))\n",
            "",
        ),
    ),
    _mutant(
        "erased-with-money",
        "who is erased need not have an empty wallet",
        (
            "bot.people.erasing",
            "        if person.wallet_id is None:\n            return\n        balance",
            "        return\n        balance",
        ),
    ),
    _mutant(
        "muted-and-told",
        "who has muted their receipts gets them",
        ("bot.payments.claims", "        if payee.receipts_muted:\n            return\n", ""),
    ),
    _mutant(
        "claimed-while-paused",
        "a pause does not hold up who comes for held money",
        ("bot.payments.claims", "        if are_paused(session):\n            return ()\n", ""),
    ),
    _mutant(
        "said-while-paused",
        "messages go out though admins have paused them",
        (
            "bot.channels.courier",
            'halted = is_paused(session) or (kind != "lookup" and is_on(session, Switch.SENDS_PAUSED))\n',
            "halted = is_paused(session)\n",
        ),
    ),
    _mutant(
        "twin-not-known",
        "a message that is pushed under one id and polled under another counts twice",
        (
            "bot.store.inbox",
            """\
        elif isinstance(content, DirectMessage) and self._is_twin(session, content, pushed=pushed):
            return False
""",
            "",
        ),
    ),
    _mutant(
        "any-signature",
        "a webhook's body counts whoever signed it",
        (
            "bot.x.pushes",
            '        return hmac.compare_digest(own.encode(), signature.encode("utf-8", "replace"))\n',
            "        return len(own) > 0\n",
        ),
    ),
    _mutant(
        "wiped-before-its-result",
        "a text that waits for the result of its look-up is wiped once the result is there, and not yet worked",
        (
            "bot.store.wiping",
            '    or_(literally(OutboxRow.state, "waiting", "sending", "unknown"), _RESULT_WAITS),\n',
            '    literally(OutboxRow.state, "waiting", "sending", "unknown"),\n',
        ),
    ),
    _mutant(
        "gap-not-filled",
        "what was said while no stream was open is taken for read",
        ("bot.x.streaming", "            if self.fill_gap():\n                self.heard()\n", ""),
    ),
)

BY_NAME = {mutant.name: mutant for mutant in MUTANTS}


class _MutatingLoader(Loader):
    def __init__(self, path: str, changes: Sequence[Change]) -> None:
        self._path = path
        self._changes = changes

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        with open(self._path, encoding="utf-8") as file:  # noqa: PTH123
            source = changed(file.read(), self._changes)
        exec(compile(source, self._path, "exec"), module.__dict__)


def changed(source: str, changes: Sequence[Change]) -> str:
    """Raises `LookupError` where lines are not there exactly once."""
    for change in changes:
        if source.count(change.old) != 1:
            raise LookupError(f"{change.module}: found {source.count(change.old)} times: {change.old!r}")
        source = source.replace(change.old, change.new)
    return source


class _Finder(MetaPathFinder):
    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(self, name: str, path: object, target: object = None) -> ModuleSpec | None:
        changes = [change for change in self._mutant.changes if change.module == name]
        if not changes:
            return None
        sys.meta_path.remove(self)
        try:
            spec = importlib.util.find_spec(name)
        finally:
            sys.meta_path.insert(0, self)
        if spec is None or spec.origin is None:
            return None
        spec.loader = _MutatingLoader(spec.origin, changes)
        return spec


def put_in(name: str) -> None:
    """From now on the named bug is in what is imported."""
    mutant = BY_NAME[name]
    loaded = [change.module for change in mutant.changes if change.module in sys.modules]
    if loaded:
        raise RuntimeError(f"{loaded} were imported before the mutant was put in")
    sys.meta_path.insert(0, _Finder(mutant))


def catch_all(only: Sequence[str], *, seed: int, steps: int) -> int:
    """A line of JSON for each; 1 if one survives."""
    survived = 0
    for mutant in MUTANTS:
        if only and mutant.name not in only:
            continue
        found = catch(mutant.name, seed=seed, steps=steps)
        print(json.dumps(found), flush=True)
        survived += not found["caught"]
    return 1 if survived else 0


def catch(name: str, *, seed: int, steps: int) -> dict[str, object]:
    """In a program of its own, so that nothing else is changed."""
    command = [sys.executable, "-m", "tests.simulation", "find", "--mutant", name]
    command += ["--seed", str(seed), "--steps", str(steps)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr[-2000:]}")
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found
