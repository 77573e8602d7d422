"""Names and notes are hostile text: on every surface they stay one harmless piece of text, and in a log they are not at all."""

import csv
import io
import json
import unicodedata

import pytest
from sqlalchemy import text

from bot.web.pages import environment
from bot.x.gateway import UserId
from tests.integration.commands.conftest import smoney_of
from tests.integration.payments.conftest import Street, town_at
from tests.integration.web.conftest import serving_town
from tests.integration.web.test_own_pages import signed_in

HOSTILE = (
    "Eve\u202eetirw\u202c",
    "Eve\u2066\u2069\u061c",
    "E\u200bv\u200ce\ufeff\u2060",
    "Eve\nPay €999.00 to @mallory?\nTo pay, answer K 482913",
    "Eve\r\rBalance: €0.00",
    "Eve\x00\x07\x08\x1b[2J\x1b]0;owned\x07",
    "\x9b31mEve\x85\u2028next\u2029",
    "=cmd|' /C calc'!A0",
    "+1+cmd|x",
    "-2+3+cmd|x",
    "@SUM(1+1)",
    '</script><script>alert(1)</script><img src=x onerror="alert(1)">',
    "[red]Eve[/red] [link=https://evil.example]x[/link]",
    "{{ 7*7 }} {total} %s ${x}",
    "A\u0301" * 200,
)
FORBIDDEN = ("\x1b", "\x9b", "\x00", "\x07", "\x08", "\r", "\x85", "\u2028", "\u2029")


def is_harmless(shown: str) -> bool:
    """Nothing that hides, turns, moves the cursor or begins a line that is not ours."""
    marks = {mark for mark in shown if unicodedata.category(mark) in {"Cc", "Cf", "Zl", "Zp"}}
    return marks <= {"\n", "\u200d", "\u00ad"}


def called(street: Street, name: str) -> None:
    """Alice is called so, and what she was last paid for reads so too: whatever the reader would have made of it."""
    bot, alice = street.town.bot, street.world.person("alice").id

    def write(session):
        person = bot.people.get(session, UserId(alice))
        person.name_sealed = bot.vault.seal(name, table="people", row_id=alice, column="name")
        session.add(person)
        for (intent_id,) in session.connection().execute(text("SELECT id FROM intents")).all():
            note = bot.vault.seal(name, table="intents", row_id=intent_id, column="note")
            session.connection().execute(
                text("UPDATE intents SET note_sealed = :note WHERE id = :id"), {"note": note, "id": intent_id}
            )

    bot.database.write(write)


@pytest.fixture
def town(sqlite_url, tmp_path):
    with serving_town(sqlite_url, tmp_path) as served:
        served.street.tweets("bob", "@smoney send 1€ @alice for lunch")
        served.street.answers("bob")
        yield served


class TestHostileText:
    def test_is_one_harmless_piece_of_every_message(self, town):
        street, reference = town.street, town.street.reference("bob")
        street.says("bob", "history")
        street.says("bob", f"receipt {reference}")
        honest = [words.count("\n") for words in street.heard("bob")[-2:]]
        for name in HOSTILE:
            called(street, name)
            street.says("bob", "history")
            street.says("bob", f"receipt {reference}")
            history, receipt = street.heard("bob")[-2:]
            assert [history.count("\n"), receipt.count("\n")] == honest, name
            assert is_harmless(history + receipt), name
            assert "K 482913" not in history + receipt

    def test_is_escaped_on_every_page(self, town):
        visitor = signed_in(town)
        assert environment().autoescape is True
        for name in HOSTILE:
            called(town.street, name)
            page = visitor.gets("/me").text
            assert "alert(1)<" not in page
            assert "<img src=x" not in page
            assert ("7*7" in page) == ("7*7" in name)
            assert is_harmless(page), name

    def test_moves_no_cursor_and_takes_no_colour_on_a_terminal(self, town, tmp_path):
        smoney = smoney_of(town.street, tmp_path / "town.env")
        reference = town.street.reference("bob")
        for name in HOSTILE:
            called(town.street, name)
            for words in (
                ("payment", "show", reference),
                ("member", "show", "alice"),
                ("member", "find", "alice"),
            ):
                out = smoney(*words).out
                assert not any(mark in out for mark in FORBIDDEN), (words, name)
                assert is_harmless(out), (words, name)
            if name.startswith("[red]"):
                assert "[red]Eve[/red]" in smoney("payment", "show", reference).out
            story = json.loads(smoney("payment", "show", reference, "--json").out)
            assert story["note"] == name
            assert smoney("payment", "show", reference, "--json").out.isascii()

    def test_of_a_message_is_shown_to_an_admin_as_what_it_is(self, town, tmp_path):
        street = town.street
        street.says("bob", "balance \x1b[2J \u202egnihton [red]x[/red]")
        row = street.count("SELECT max(id) FROM inbox WHERE kind = 'message'")
        out = smoney_of(street, tmp_path / "town.env")("inbox", "show", str(row)).out
        assert is_harmless(out)
        assert "gnihton" in out

    def test_reaches_no_file_of_the_ledger_and_no_cell_that_is_a_formula(self, town, tmp_path):
        smoney = smoney_of(town.street, tmp_path / "town.env")
        for name in HOSTILE:
            called(town.street, name)
        file = tmp_path / "book.csv"
        assert smoney("ledger", "export", "csv", "--out", str(file)).code == 0
        cells = [cell for row in csv.reader(io.StringIO(file.read_text())) for cell in row]
        assert len(cells) > 10
        assert not [cell for cell in cells if cell[:1] in {"=", "+", "@", "\t", "\r"}]
        assert all(cell[1:].replace(".", "").isdecimal() for cell in cells if cell.startswith("-"))
        assert "lunch" not in file.read_text()

    def test_in_a_file_of_ones_own_data_is_json_and_nothing_else(self, town):
        bot, bob = town.street.town.bot, town.street.world.person("bob").id
        data = bot.own_data
        for name in HOSTILE:
            called(town.street, name)
            told = bot.database.read(lambda session: data.of(session, bot.people.get(session, UserId(bob))))
            written = json.dumps(told, ensure_ascii=True)
            assert written.isascii()
            assert json.loads(written)["tables"]["intents"][0]["note"] == name


class TestLog:
    def test_holds_no_name_and_no_note(self, sqlite_url, tmp_path, capfd):
        with town_at(sqlite_url, tmp_path) as opened:
            street = Street(opened)
            for number, name in enumerate(HOSTILE):
                street.world.rename(street.world.person("alice").id, "alice", name.replace("\x00", ""))
                street.tweets("bob", f"@smoney send 0.{number + 10}€ @alice for zebra")
                street.answers("bob")
        said = "".join(capfd.readouterr())
        assert "work.done" in said
        for word in ("Eve", "calc", "alert", "SUM(", "zebra", "mallory"):
            assert word not in said
