"""Writes into each transcript what the bot says now, and into the README its copy of them.

    .venv/bin/python tests/e2e/transcripts/record.py            all of this folder
    .venv/bin/python tests/e2e/transcripts/record.py payment    those whose name has "payment" in it
    .venv/bin/python tests/e2e/transcripts/record.py story      the demo's packaged story, bot/demo/story.md

Only what people do, and the prose between, is written by hand: tweets, messages, time that passes, whose wallets are
shown. Whatever the bot says, and what the wallets hold, is thrown away and written anew from a play of the file. READ
the difference before you commit it: a transcript is a promise of what a user sees, and this program believes anything.

Chance is seeded with the file's name, so the same bot says the same codes and references again, and only what has
really changed shows up as a difference.
"""

import logging
import random
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import structlog

from bot.demo.playing import STORY_BEGINS
from bot.demo.town import Town, demo_settings, open_town
from bot.demo.transcript import Player, Step, Transcript, parse
from bot.sandbox.core import World as SandboxWorld
from bot.sandbox.ground import StoppedClock
from ledger.money import EUR, decimal_text

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
README = ROOT / "README.md"
STORY = ROOT / "bot" / "demo" / "story.md"

_SPEAKS = re.compile(r"\*\*@(\w+)\*\* (?:tweets|edits|to @\w+|replies to @\w+)")
_TO_BOT = re.compile(r"\*\*@(\w+)\*\* to @\w+")
_TOLD = re.compile(r"\*\*@\w+\*\* (?:to|replies to) @(\w+)")
_SHOWN_CODE = re.compile(r"\b([A-Z]) ([0-9]{6})\b")
_SHOWN_REFERENCE = re.compile(r"\bP-[2-9A-Z]{6}\b")
_COPY = re.compile(r"(<!-- copy of (\S+) -->\n).*?(<!-- end of copy -->)", re.DOTALL)


def transcripts() -> list[Path]:
    """Every transcript of this folder."""
    return sorted(HERE.glob("*.md"))


# Recording


def recorded(markdown: str, *, seed: str) -> str:
    """The same transcript with what the bot says now."""
    lines = list(_without(markdown.splitlines(), parse(markdown).handle))
    transcript = parse("\n".join(lines) + "\n")
    with _stage(transcript, random.Random(seed)) as recorder:
        return "\n".join(_tidied(recorder.record(transcript, lines))) + "\n"


def _without(lines: Sequence[str], handle: str) -> Iterator[str]:
    """All but what the bot says."""
    skipping = False
    for line in lines:
        speaks = _SPEAKS.fullmatch(line)
        if speaks:
            skipping = speaks[1] == handle
        elif skipping and line and not line.startswith(">"):
            skipping = False
        if not skipping:
            yield line


class Recorder(Player):
    """A player that believes whatever the bot says."""

    def record(self, transcript: Transcript, lines: Sequence[str]) -> Iterator[str]:
        self._heard()
        done = 0
        for step in transcript.steps:
            yield from lines[done : step.line - 1]
            done = step.line
            if step.act == "wallets":
                yield self._wallets(step)
                continue
            yield lines[step.line - 1]
            while done < len(lines) and lines[done].startswith(">"):
                yield lines[done]
                done += 1
            self._act(step)
            self.town.settle()
            yield from self._said()
        yield from lines[done:]

    def _wallets(self, step: Step) -> str:
        names = re.findall(r"@(\w+)", step.text)
        amounts = [decimal_text(self.town.available_minor(name) or 0, EUR.exponent) for name in names]
        held = [f"@{name} {amount} €" for name, amount in zip(names, amounts, strict=True)]
        return f"**Wallets:** {', '.join(held)}"

    def _said(self) -> Iterator[str]:
        handle = self.town.bot_person.username
        for where, text in self._heard():
            kind, to = where.split(" ")
            yield ""
            yield f"**@{handle}** {'to' if kind == 'message' else 'replies to'} @{to}"
            yield from _quoted(text.splitlines())
        yield ""

    def _heard(self) -> list[tuple[str, str]]:
        self._hear()
        heard = list(self._unseen)
        self._unseen.clear()
        return heard


def _quoted(lines: Sequence[str]) -> Iterator[str]:
    """As Markdown; two spaces at a line's end keep it from running into the next."""
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        yield (f"> {line}" + ("  " if after else "")) if line else ">"


@contextmanager
def _stage(transcript: Transcript, chance: random.Random) -> Iterator[Recorder]:
    """As the demo's stage, in this process alone and with chance that can be repeated."""
    sandbox = SandboxWorld(StoppedClock(STORY_BEGINS), chance=chance)
    sandbox.create_person(transcript.handle, "smoney", open_messages=True)
    with tempfile.TemporaryDirectory(prefix="smoney-record-") as home:
        settings = demo_settings(Path(home), chance.randbytes)
        with open_town(
            settings,
            sandbox,
            entropy=chance.randbytes,
            residents=transcript.residents,
            handle=transcript.handle,
        ) as town:
            yield _recorder(town, sandbox)


def _recorder(town: Town, sandbox: SandboxWorld) -> Recorder:
    return Recorder(town, sandbox.advance)


def _tidied(lines: Iterable[str]) -> list[str]:
    """One empty line between paragraphs, none at the ends."""
    kept: list[str] = []
    for line in lines:
        if line or (kept and kept[-1]):
            kept.append(line)
    while kept and not kept[-1]:
        kept.pop()
    return kept


# The README's copies


def copies_in(readme: str) -> dict[str, str]:
    """What the README shows as a copy, by the path of the file it is a copy of."""
    return {
        match[2]: match[0].removeprefix(match[1]).removesuffix(match[3]) for match in _COPY.finditer(readme)
    }


def copy_of(markdown: str) -> str:
    """A transcript's conversation as the README shows it: without its heading, codes and references filled in."""
    lines = markdown.splitlines()
    begin = next(index for index, line in enumerate(lines) if _SPEAKS.fullmatch(line))
    return "\n" + "\n".join(_filled(lines[begin:])) + "\n\n"


def _filled(lines: Sequence[str]) -> Iterator[str]:
    """`{code}` is the last code the speaker was shown, `{reference}` the last reference."""
    shown: dict[tuple[str, str], str] = {}
    speaker = told = ""
    for line in lines:
        if _SPEAKS.fullmatch(line):
            to_bot, to_person = _TO_BOT.fullmatch(line), _TOLD.fullmatch(line)
            speaker, told = (to_bot[1] if to_bot else ""), (to_person[1] if to_person else "")
        for what, pattern in (("{code}", _SHOWN_CODE), ("{reference}", _SHOWN_REFERENCE)):
            if found := pattern.search(line):
                shown[told, what] = found[0]
            line = line.replace(what, shown.get((speaker, what), what))  # noqa: PLW2901
        yield line


def with_copies(readme: str) -> str:
    """The README with its copies as their files are now."""
    return _COPY.sub(
        lambda match: match[1] + copy_of((ROOT / match[2]).read_text(encoding="utf-8")) + match[3], readme
    )


def main(wanted: Sequence[str]) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    chosen = [path for path in (*transcripts(), STORY) if any(word in path.stem for word in wanted)]
    for path in chosen or transcripts():
        before = path.read_text(encoding="utf-8")
        try:
            after = recorded(before, seed=path.name)
        except Exception as error:
            error.add_note(f"while playing {path.relative_to(ROOT)}")
            raise
        sys.stdout.write(f"{'changed ' if after != before else 'the same'} {path.relative_to(ROOT)}\n")
        path.write_text(after, encoding="utf-8")
    before = README.read_text(encoding="utf-8")
    README.write_text(with_copies(before), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
