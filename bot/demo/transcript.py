"""Conversations in Markdown that can be played: tweets, messages, answers, and what the wallets hold after.

One file is at once a page to read, the demo's story and a test. The grammar, a line each:

    | @bob | Bob Martin | 50.00 € |         a row of the table of people; "not enrolled" instead of an amount
    **@bob** tweets                         what follows in the quotation is posted by bob
    **@bob** edits                          replaces bob's last tweet
    **@bob** to @smoney                     a direct message; `{code}` is the code bob was last sent
    **@smoney** to @bob                     what the bot must have said to bob, in private
    **@smoney** replies to @bob             what the bot must have said under bob's tweet
    *6 minutes pass*                        the clock moves on (minutes, hours, days)
    **Wallets:** @bob 40.00 €, ...          what each can spend now

Whatever the bot says that the file does not tell, or the other way round, fails. References and codes are compared
by their order of appearance, since each run makes its own.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from bot.demo.town import Resident, Town
from bot.payments.challenge import LETTERS
from bot.sandbox.messages import StoredMessage
from bot.sandbox.posts import StoredPost

_PERSON = re.compile(r"\|\s*@(\w+)\s*\|\s*([^|]*?)\s*\|\s*([^|]*?)\s*\|")
_SAYS = re.compile(r"\*\*@(\w+)\*\* (tweets|edits|to @(\w+)|replies to @(\w+))")
_TIME = re.compile(r"\*(\d+) (minute|hour|day)s? pass(?:es)?\*")
_WALLETS = re.compile(r"\*\*Wallets:\*\* (.*)")
_WALLET = re.compile(r"@(\w+) ([\d.]+) €")
_REFERENCE = re.compile(r"\b[PR]-[2-9A-HJKMNP-TV-Z]{6}\b")
_CODE = re.compile(rf"\b([{LETTERS}]) ([0-9]{{6}})\b")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing done or seen. `line` is where it stands in the file; `text` what was said, or the rest of the line."""

    line: int
    act: str
    person: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Transcript:
    title: str
    handle: str
    residents: Sequence[Resident]
    steps: Sequence[Step]


class Untrue(AssertionError):
    """What happened is not what the transcript tells."""


def parse(markdown: str) -> Transcript:
    """Raises `ValueError`, with the line, for a file that makes no sense."""
    lines = markdown.splitlines()
    title = next((line[2:] for line in lines if line.startswith("# ")), "")
    residents = [_resident(match) for line in lines if (match := _PERSON.match(line))]
    steps = list(_steps(lines))
    handles = [step.text for step in steps if step.act == "handle"]
    return Transcript(
        title, handles[0] if handles else "smoney", residents, [s for s in steps if s.act != "handle"]
    )


def _resident(match: re.Match[str]) -> Resident:
    amount = re.fullmatch(r"(\d+)\.(\d\d) €", match[3])
    return Resident(match[1], match[2], int(amount[1] + amount[2]) if amount else None)


def _steps(lines: Sequence[str]) -> Iterator[Step]:
    for index, line in enumerate(lines):
        if handle := re.fullmatch(r"The bot answers to @(\w+)\.", line):
            yield Step(index + 1, "handle", text=handle[1])
        elif says := _SAYS.fullmatch(line):
            yield _said(index, says, _quotation(lines, index + 1))
        elif time := _TIME.fullmatch(line):
            yield Step(index + 1, "time", text=f"{time[1]} {time[2]}")
        elif wallets := _WALLETS.fullmatch(line):
            yield Step(index + 1, "wallets", text=wallets[1])


def _said(index: int, says: re.Match[str], text: str) -> Step:
    if says[2] in {"tweets", "edits"}:
        return Step(index + 1, says[2], says[1], text)
    if says[4]:
        return Step(index + 1, "reply", says[4], text)
    if says[3] and says[1] != says[3]:
        return Step(index + 1, "message", f"{says[1]}>{says[3]}", text)
    raise ValueError(f"line {index + 1}: nobody writes to themselves")


def _quotation(lines: Sequence[str], start: int) -> str:
    quoted: list[str] = []
    for line in lines[start:]:
        if not line.startswith(">") and (quoted or line.strip()):
            break
        if line.startswith(">"):
            quoted.append(line[1:].strip())
    if not quoted:
        raise ValueError(f"line {start}: what is said must follow, quoted with >")
    return "\n".join(quoted)


@dataclass(slots=True)
class Player:
    """Plays a transcript in a town. `advance` moves the town's clock; `tell` is given each thing as it happens."""

    town: Town
    advance: Callable[[timedelta], object]
    tell: Callable[[str], None] = lambda _: None
    _unseen: list[tuple[str, str]] = field(default_factory=list)
    _seen_posts: int = 0
    _seen_messages: int = 0
    _aliases: tuple[dict[str, str], dict[str, str]] = field(default_factory=lambda: ({}, {}))

    def play(self, transcript: Transcript) -> None:
        """Raises `Untrue`, with the line, at the first thing that is not as told."""
        self._hear()
        self._unseen.clear()
        for step in transcript.steps:
            self._step(step)
        self._nothing_untold(None)

    def _step(self, step: Step) -> None:
        writes_to_bot = step.act == "message" and step.person.endswith(f">{self.town.bot_person.username}")
        if step.act in {"tweets", "edits", "time"} or writes_to_bot:
            self._nothing_untold(step)
            self._act(step)
            self.town.settle()
            self._hear()
        elif step.act == "wallets":
            self._check_wallets(step)
        else:
            self._expect(step)

    def _act(self, step: Step) -> None:
        world, text = self.town.world, self._filled(step)
        if step.act == "time":
            self.tell(f"*{_passed(text)}*")
            self._let_pass(_duration(text))
        elif step.act == "tweets":
            world.post(world.person(step.person).id, text)
            self.tell(f"@{step.person} tweets: {text}")
        elif step.act == "edits":
            person = world.person(step.person)
            world.edit(max(post.id for post in self._posts() if post.author_id == person.id), text)
            self.tell(f"@{step.person} edits: {text}")
        else:
            sender = step.person.split(">")[0]
            world.send_message(world.person(sender).id, self.town.bot_person.id, text)
            self.tell(f"@{sender} -> @{self.town.bot_person.username}: {text}")

    def _let_pass(self, left: timedelta) -> None:
        """The bot listens all the while. It would read a silent street every minute of it; here it reads once, and does
        not take the silence for an absence of its own."""
        listening = self.town.bot.listening
        patient = replace(listening.rules, listening_gap=left + timedelta(seconds=1))
        self.advance(left)
        replace(listening, rules=patient).read_messages()

    def _filled(self, step: Step) -> str:
        """`{code}` is the last code sent to who speaks, `{wrong code}` one that is not, `{reference}` the last one."""
        if "{" not in step.text:
            return step.text
        bot_id = self.town.bot_person.id
        thread = self._thread(step.person.split(">")[0])
        texts = [message.text for message in thread if message.sender_id == bot_id]
        codes = [match for text in texts for match in _CODE.finditer(text)]
        references = [match[0] for text in texts for match in _REFERENCE.finditer(text)]
        filled = step.text
        if codes:
            letter, digits = codes[-1][1], codes[-1][2]
            wrong = f"{(int(digits) + 1) % 10**6:06d}"
            filled = filled.replace("{code}", f"{letter} {digits}").replace(
                "{wrong code}", f"{letter} {wrong}"
            )
        return filled.replace("{reference}", references[-1]) if references else filled

    # What the bot said

    def _posts(self) -> list[StoredPost]:
        return [post for post in self.town.world.timeline(10_000) if not post.deleted]

    def _thread(self, username: str) -> list[StoredMessage]:
        world = self.town.world
        return world.thread(self.town.bot_person.id, world.person(username).id)

    def _hear(self) -> None:
        """Collects what the bot has said since the last look, in the order of X's ids."""
        said: list[tuple[int, str, str]] = []
        bot_id = self.town.bot_person.id
        for person in self.town.world.people:
            if person.id != bot_id:
                thread = self.town.world.thread(bot_id, person.id)
                said += [
                    (m.id, f"message {person.username}", m.text) for m in thread if m.sender_id == bot_id
                ]
        for post in self._posts():
            if post.author_id == bot_id and post.in_reply_to_user_id:
                to = self.town.world.person(post.in_reply_to_user_id).username
                said.append((post.id, f"reply {to}", post.visible_text))
        newest = self._seen_messages
        for identity, where, text in sorted(said):
            if identity > newest:
                self._unseen.append((where, text))
                self._seen_messages = identity
                self._tell_said(where, text)

    def _tell_said(self, where: str, text: str) -> None:
        kind, to = where.split(" ")
        arrow = "->" if kind == "message" else "replies to"
        self.tell(f"@{self.town.bot_person.username} {arrow} @{to}: {text}")

    def _expect(self, step: Step) -> None:
        where = f"reply {step.person}" if step.act == "reply" else f"message {step.person.split('>')[1]}"
        for index, (at, text) in enumerate(self._unseen):
            if at == where:
                del self._unseen[index]
                self._compare(step, text)
                return
        raise Untrue(
            f"line {step.line}: the bot did not say this ({where}):\n{step.text}\n--- unsaid: {self._unseen}"
        )

    def _compare(self, step: Step, said: str) -> None:
        told, heard = self._folded(step.text, 0), self._folded(said, 1)
        if told != heard:
            raise Untrue(f"line {step.line}: told\n{step.text}\n--- said\n{said}")

    def _folded(self, text: str, side: int) -> str:
        """References and codes by their order of appearance, space folded."""
        aliases = self._aliases[side]
        named = _REFERENCE.sub(lambda match: aliases.setdefault(match[0], f"#{len(aliases)}"), text)
        named = _CODE.sub(r"\1 ######", named)
        return "\n".join(" ".join(line.split()) for line in named.splitlines() if line.strip())

    def _nothing_untold(self, step: Step | None) -> None:
        if self._unseen:
            where = f"before line {step.line}" if step else "at the end"
            told = "\n".join(f"{at}:\n{text}" for at, text in self._unseen)
            raise Untrue(f"{where}: the bot also said\n{told}")

    def _check_wallets(self, step: Step) -> None:
        for username, amount in _WALLET.findall(step.text):
            available = self.town.available_minor(username) or 0
            if available != int(amount.replace(".", "")):
                raise Untrue(f"line {step.line}: @{username} has {available} cents, not {amount} €")
        self.tell(f"Wallets: {step.text}")


def _duration(text: str) -> timedelta:
    count, unit = text.split(" ")
    return timedelta(**{f"{unit}s": int(count)})


def _passed(text: str) -> str:
    count, unit = text.split(" ")
    return f"{count} {unit}{'s pass' if count != '1' else ' passes'}"
