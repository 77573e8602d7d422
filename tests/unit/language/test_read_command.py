"""`smoney read`: streaming, for programs and for people."""

import json
from itertools import islice

from bot.language.explaining import explain
from bot.read_command import answers, explained
from tests.unit.language.cases import utterance

LINE = json.dumps(
    {"id": "a", "text": "@smoney send 10€ to @alice for pizza", "mentions": ["smoney", "alice"], "lang": "en"}
)


class TestAnswers:
    def test_give_one_line_for_each(self):
        first, second = answers([LINE, "\n", '{"id": 2, "text": "hello"}'])
        assert json.loads(first) == {
            "id": "a",
            "result": {
                "kind": "transfer",
                "amount_minor": 1000,
                "currency": "EUR",
                "payees": ["alice"],
                "memo": "pizza",
                "mode": "each",
            },
        }
        assert json.loads(second) == {"id": 2, "result": {"kind": "ignore"}}

    def test_come_while_the_lines_come(self):
        def endless():
            while True:
                yield LINE

        assert len(list(islice(answers(endless()), 3))) == 3

    def test_a_broken_line_stops_nothing(self):
        broken = [
            "{",
            "[]",
            "7",
            '{"text": 1}',
            '{"no": "text"}',
            '{"text": "a", "display_start": "x"}',
            '{"text": "\\ud800", "mentions": [{"start": 1}]}',
            '{"text": "@a", "mentions": 5}',
        ]
        told = [json.loads(line) for line in answers([*broken, LINE])]
        assert len(told) == len(broken) + 1
        assert sum("error" in one for one in told) == len(broken) - 1
        assert told[-1]["result"]["kind"] == "transfer"

    def test_take_whole_entities_too(self):
        case = {
            "text": "@smoney send 10€ to @alice",
            "mentions": [
                {"start": 0, "end": 7, "username": "smoney", "id": "1"},
                {"start": 20, "end": 26, "username": "alice", "id": "2"},
            ],
        }
        assert json.loads(next(answers([json.dumps(case)])))["result"]["kind"] == "transfer"


class TestExplained:
    def test_shows_each_piece_with_its_role_and_the_reading(self):
        text, pieces, reading = explained([LINE], colour=False)
        assert text.endswith("@smoney send 10€ to @alice for pizza")
        assert pieces.split() == [
            "@smoney[bot]",
            "send[send]",
            "10€[amount]",
            "to[to]",
            "@alice[mention]",
            "for[note]",
            "pizza[note]",
        ]
        assert '"amount_minor": 1000' in reading

    def test_colours_trouble_and_lets_no_text_write_to_the_terminal(self):
        case = json.dumps(
            {"id": 1, "text": "@smoney send 10€ to @alice \x1b[2J nope", "mentions": ["smoney", "alice"]}
        )
        shown = "\n".join(explained([case]))
        assert "\x1b[2J" not in shown
        assert "\x1b[31m" in shown

    def test_a_broken_line_is_told(self):
        assert next(explained(["{"])).startswith("not a case")


class TestExplain:
    def test_accounts_for_every_visible_character(self):
        said = utterance("@smoney send  10€ to @alice, «x» \u200b 🍕!")
        covered = {place for piece in explain(said).pieces for place in range(piece.start, piece.end)}
        assert {place for place, mark in enumerate(said.text) if not mark.isspace()} <= covered
