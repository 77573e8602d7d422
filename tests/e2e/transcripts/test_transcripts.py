"""Every transcript is played over HTTP with the real tweepy, and the README shows what was played."""

from pathlib import Path

import pytest

from bot.demo.playing import stage
from bot.demo.transcript import Untrue, parse
from tests.e2e.transcripts.record import README, ROOT, STORY, copies_in, copy_of, transcripts
from tests.newer_names import spoken


def named(path: Path) -> str:
    return path.stem


class TestTranscript:
    @pytest.mark.parametrize("path", [*transcripts(), STORY], ids=named)
    def test_is_what_happens(self, path):
        transcript = parse(path.read_text(encoding="utf-8"))
        with stage(transcript) as (_, player):
            player.play(transcript)

    @pytest.mark.parametrize("name", ["edited-tweets", "several-payees"])
    def test_is_the_same_where_x_speaks_its_newer_names(self, name):
        (path,) = (path for path in transcripts() if path.stem == name)
        transcript = parse(path.read_text(encoding="utf-8"))
        with spoken(), stage(transcript) as (town, player):
            assert town.world.newer_names
            player.play(transcript)

    def test_that_tells_of_something_else_fails(self):
        """Seen on a word of the bot's, on what it says and does not tell, and on what it tells and does not say."""
        told = (ROOT / "tests/e2e/transcripts/payment.md").read_text(encoding="utf-8")
        head, line, tail = told.partition("**Wallets:**")
        lies = (
            told.replace("First payment", "Second payment"),
            head.rpartition("\n**@smoney** to @alice")[0] + line + tail,
            head + "**@smoney** to @alice\n> Hello\n\n" + line + tail,
            told.replace("@alice 15.00 €", "@alice 15.01 €"),
        )
        for lie in lies:
            assert lie != told
            transcript = parse(lie)
            with stage(transcript) as (_, player), pytest.raises(Untrue):
                player.play(transcript)

    @pytest.mark.parametrize("path", transcripts(), ids=named)
    def test_is_introduced_and_short(self, path):
        lines = path.read_text(encoding="utf-8").splitlines()
        assert lines[0].startswith("# ")
        assert lines[2]
        assert not lines[2].startswith(("|", "*", ">"))
        assert len(lines) < 200


class TestReadme:
    def test_shows_transcripts_as_they_are(self):
        copies = copies_in(README.read_text(encoding="utf-8"))
        assert copies, "the README begins with what one tweet does"
        for path, shown in copies.items():
            told = (ROOT / path).read_text(encoding="utf-8")
            assert shown == copy_of(told), f"run tests/e2e/transcripts/record.py: {path} is told otherwise"

    def test_names_every_transcript(self):
        readme = README.read_text(encoding="utf-8")
        missing = [
            path.name for path in transcripts() if str(path.relative_to(ROOT).as_posix()) not in readme
        ]
        assert not missing, f"the README does not lead to {', '.join(missing)}"
