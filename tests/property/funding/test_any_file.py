"""Any bytes give lines or one clear error, and a statement that was written is read back as it was."""

from datetime import date
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from bot.funding.csv_statement import read_csv
from bot.funding.reading import read_statement
from bot.funding.statements import BankLine, WrongStatement
from ledger.money import decimal_text

BANK = Path(__file__).parents[2] / "data" / "bank"
SAMPLES = [file.read_bytes() for file in sorted(BANK.iterdir())]
PIECES = st.sampled_from(
    [b"<Document>", b"<Ntry>", b"</Ntry>", b"<Amt Ccy='EUR'>", b"1.000", b"1,00", b";", b",", b"\t", b'"', b"\n", b"\r", b"\0",
     b"Datum;Betrag\n", b"Date,Debit,Credit\n", b"26.11.2026", b"05/06/2026", b"-", b"EUR", b"\xff\xfe", b"\xef\xbb\xbf",
     b"<?xml version='1.0' encoding='x'?>", b"<!DOCTYPE a>", b"&#0;", b"\xe9"]
)  # fmt: skip


def outcome(data, **named):
    refused = "Nothing was imported."
    lines: tuple[BankLine, ...] = ()
    try:
        lines = read_statement(data, **named).lines
    except WrongStatement as wrong:
        refused = str(wrong)
    assert refused.endswith("Nothing was imported.")
    assert "\n" not in refused
    assert len(refused) < 400
    for line in lines:
        assert type(line.amount.amount_minor) is int
        assert line.amount.amount_minor != 0
        assert len(line.text) <= 1_000


class TestAnyFile:
    @given(st.binary(max_size=300), st.sampled_from([None, "DD/MM", "MM/DD"]))
    def test_is_read_or_refused(self, data, dates):
        outcome(data, dates=dates)

    @given(st.lists(st.one_of(PIECES, st.binary(max_size=4)), max_size=40))
    def test_of_the_pieces_of_statements_is_read_or_refused(self, pieces):
        outcome(b"".join(pieces))

    @given(st.sampled_from(SAMPLES), st.data())
    def test_of_a_bank_with_something_changed_in_it_is_read_or_refused(self, sample, data):
        at = data.draw(st.integers(0, len(sample)))
        to = data.draw(st.integers(at, min(len(sample), at + 50)))
        outcome(sample[:at] + data.draw(st.one_of(PIECES, st.binary(max_size=5))) + sample[to:])


AMOUNTS = st.integers(-(10**9), 10**9).filter(bool)
DAYS = st.dates(date(2000, 1, 1), date(2099, 12, 31))


class TestACsvWeWrote:
    @given(
        st.lists(st.tuples(DAYS, AMOUNTS), min_size=1, max_size=20), st.sampled_from([(",", "."), (".", ",")])
    )
    def test_is_read_to_the_cent(self, rows, marks):
        decimal, thousands = marks
        text = "Datum;Betrag\n"
        for day, minor in rows:
            whole, _, cents = decimal_text(abs(minor), 2).partition(".")
            grouped = f"{int(whole):,}".replace(",", thousands)
            text += f"{day};{'-' if minor < 0 else ''}{grouped}{decimal}{cents}\n"
        read = [(line.booked_on, line.amount.amount_minor) for line in read_csv(text.encode()).lines]
        assert read == rows
