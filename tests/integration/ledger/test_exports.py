"""Statements and exports, on both engines; where the other program is there, it reads what we wrote."""

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from ledger import statements
from ledger.accounts import Balances
from ledger.book import Ledger
from ledger.camt import NAMESPACE, camt053
from ledger.clock import IdSource
from ledger.errors import Invalid, UnknownAccount
from ledger.exports import (
    beancount,
    book_csv,
    book_json,
    hledger,
    statement_csv,
    statement_json,
    statement_text,
)
from ledger.money import Currency, Money, currency_of
from ledger.reports import coverage, open_clearing, trial_balance
from ledger.statements import statement, whole_book, whole_chart
from tests.integration.ledger.world import World

BEAN_CHECK = shutil.which("bean-check", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")


@pytest.fixture
def world(database):
    world = World(database)
    world.start = world.clock()
    world.alice, world.bob = world.wallet(1000), world.wallet()
    world.clearing = world.open(code="card.clearing", normal_side="debit")
    world.yen, world.yens = world.open(currency=currency_of("JPY")), world.open(currency=currency_of("JPY"))
    world.drop, world.drops = (
        world.open(currency=Currency("DROP2", 1)),
        world.open(currency=Currency("DROP2", 1)),
    )
    world.clock.move(days=1)
    world.paid = world.pay(world.alice, world.bob, 250, effective_on=date(2026, 2, 27))
    world.clock.move(days=1)
    world.held = world.hold(world.alice, world.bob, 100)
    world.posted = world.post(world.held.id, amount_minor=60)
    world.back = world.reverse(world.paid.id, amount_minor=50)
    world.clock.move(days=1)
    world.pay(world.clearing, world.alice, 40)
    world.pay(world.yen, world.yens, 5, amount=Money(700, currency_of("JPY")))
    world.pay(world.drop, world.drops, 5, amount=Money(15, Currency("DROP2", 1)))
    return world


def text_of(world, write, *arguments, **named):
    return world.database.read(lambda session: "".join(write(session, *arguments, **named)))


def statement_of(world, write, account_id, since=None, until=None, **named):
    def work(session):
        return "".join(write(session, statement(session, account_id, since=since, until=until), **named))

    return world.database.read(work)


class TestStatement:
    def test_runs_from_the_opening_to_the_closing_balance(self, world):
        def work(session):
            made = statement(session, world.alice)
            return made, list(made.entries(session))

        made, entries = world.database.read(work)
        assert (made.opening_minor, made.closing_minor) == (0, 780)
        assert (made.opening, made.closing) == (Balances(0, 0, 0, 0, 0), world.account(world.alice).balances)
        assert [entry.change_minor for entry in entries] == [1000, -250, 0, -60, 50, 40]
        assert [entry.balance_minor for entry in entries] == [1000, 750, 750, 690, 740, 780]
        assert entries[1].other_account_id == world.bob
        assert (entries[1].day, entries[2].day) == (date(2026, 2, 27), date(2026, 3, 3))

    def test_of_a_time_holds_what_was_booked_in_it(self, world):
        since = world.start + timedelta(hours=1)
        until = world.start + timedelta(days=2)

        def work(session):
            made = statement(session, world.alice, since=since, until=until)
            return made.opening_minor, made.closing_minor, len(list(made.entries(session)))

        assert world.database.read(work) == (1000, 740, 4)

    @pytest.mark.parametrize("page", [1, 2, 3, 500])
    def test_streams_in_pages_of_any_size(self, world, monkeypatch, page):
        monkeypatch.setattr(statements, "PAGE", page)
        assert len(statement_of(world, statement_csv, world.alice).splitlines()) == 7
        assert world.database.read(lambda session: len(list(whole_book(session)))) == 8
        assert world.database.read(lambda session: len(list(whole_chart(session)))) == 8

    def test_of_a_book_whose_ids_begin_at_one_has_the_first_too(self, world):
        start = datetime(2006, 1, 1, tzinfo=UTC)
        early = Ledger(clock=world.clock, ids=IdSource(lambda: start, bytes))
        new = world.new(world.alice, world.bob, 1)
        first = world.database.write(lambda session: early.transfer(session, new))
        assert first.id == 1
        assert world.database.read(lambda session: next(whole_book(session))) == first

    def test_of_nobody_is_refused(self, world):
        with pytest.raises(UnknownAccount):
            statement_of(world, statement_csv, 99)

    def test_for_people_is_in_columns(self, world):
        lines = statement_of(world, statement_text, world.bob).splitlines()
        assert lines[0] == f"wallet {world.bob}, EUR"
        assert lines[4] == "2026-02-27 payment posted                         2.50               2.50"
        assert lines[-1].split() == ["closing", "balance", "2.60"]

    def test_for_people_keeps_its_columns_however_long_a_code_is(self, world):
        world.pay(world.alice, world.bob, 1, code="x" * 64)
        lines = statement_of(world, statement_text, world.bob).splitlines()
        assert f" {'x' * 24} " in lines[-2]
        assert {len(line) for line in lines[2:]} == {10 + 24 + 18 + 18 + 3}


class TestCsv:
    def test_of_an_account_is_read_back(self, world):
        rows = list(csv.DictReader(io.StringIO(statement_of(world, statement_csv, world.alice))))
        assert [row["change"] for row in rows] == ["10.00", "-2.50", "0.00", "-0.60", "0.50", "0.40"]
        assert rows[1]["transfer_id"] == str(world.paid.id)

    def test_of_the_book_is_read_back(self, world):
        rows = list(csv.DictReader(io.StringIO(text_of(world, book_csv))))
        assert [row["amount"] for row in rows] == [
            "10.00",
            "2.50",
            "1.00",
            "0.60",
            "0.50",
            "0.40",
            "700",
            "1.5",
        ]
        assert rows[1]["effective_on"] == "2026-02-27"
        assert rows[3]["pending_id"] == str(world.held.id)

    @pytest.mark.parametrize("key", ["=cmd|x", "-1+cmd|x", "-x", "+1", "@x"])
    def test_has_no_cell_that_is_a_formula(self, world, key):
        world.pay(world.alice, world.bob, 1, idempotency_key=key)
        assert list(csv.DictReader(io.StringIO(text_of(world, book_csv))))[-1]["idempotency_key"] == f"'{key}"


class TestJson:
    def test_of_an_account_is_read_back(self, world):
        rows = [json.loads(line) for line in statement_of(world, statement_json, world.alice).splitlines()]
        assert [row["change"] for row in rows] == ["10.00", "-2.50", "0.00", "-0.60", "0.50", "0.40"]
        assert (rows[1]["transfer_id"], rows[1]["day"]) == (world.paid.id, "2026-02-27")

    def test_of_the_book_is_read_back(self, world):
        rows = [json.loads(line) for line in text_of(world, book_json).splitlines()]
        assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)
        assert (rows[1]["amount"], rows[1]["effective_on"], rows[1]["due_at"]) == ("2.50", "2026-02-27", None)
        assert rows[2]["due_at"] == world.held.due_at.isoformat()


class TestHledger:
    def test_has_every_posted_transfer_and_asserts_every_balance(self, world):
        written = text_of(world, hledger)
        assert f"\n2026-02-27 * ({world.paid.id}) payment\n" in written
        assert (
            f"    liabilities:wallet:{world.alice}  2.50 EUR\n    liabilities:wallet:{world.bob}  -2.50 EUR\n"
            in written
        )
        assert f"    liabilities:wallet:{world.alice}  0.00 EUR = -7.80 EUR\n" in written
        assert '1.5 "DROP2"' in written
        assert str(world.held.id) not in written

    @pytest.mark.skipif(shutil.which("hledger") is None, reason="hledger is not installed")
    def test_is_accepted_by_the_real_one_and_a_wrong_balance_is_not(self, world, tmp_path):
        book = tmp_path / "book.journal"
        book.write_text(text_of(world, hledger))
        subprocess.run(["hledger", "-f", book, "check", "accounts"], check=True, capture_output=True)
        shown = subprocess.run(
            ["hledger", "-f", book, "balance", f"wallet:{world.bob}$", "-N"],
            check=True,
            capture_output=True,
            text=True,
        )
        assert shown.stdout.split()[:2] == ["-2.60", "EUR"]
        book.write_text(text_of(world, hledger).replace("= -7.80 EUR", "= -7.81 EUR"))
        assert (
            subprocess.run(["hledger", "-f", book, "check"], check=False, capture_output=True).returncode != 0
        )

    def test_of_an_empty_book_is_empty(self, database):
        assert text_of(World(database), hledger) == ""

    def test_of_a_book_that_has_lost_an_account_says_so_and_goes_on(self, world, intruder):
        intruder()(f"DELETE FROM ledger_account WHERE id = {world.bob}")
        assert "\n    unknown  -2.50 EUR\n" in text_of(world, hledger)


class TestBeancount:
    def test_has_every_posted_transfer_and_asserts_every_balance(self, world):
        written = text_of(world, beancount)
        assert f"2026-02-27 open Liabilities:Wallet:{world.alice} EUR\n" in written
        assert f"2026-03-05 balance Liabilities:Wallet:{world.alice}  -7.80 ~ 0 EUR\n" in written
        assert f"Assets:Card-clearing:{world.clearing}" in written
        alice, bob = f"Liabilities:Wallet:{world.alice}", f"Liabilities:Wallet:{world.bob}"
        assert (
            f'2026-02-27 * "payment"\n  transfer: "{world.paid.id}"\n  {alice}  2.50 EUR\n  {bob}  -2.50 EUR\n'
            in written
        )
        assert str(world.held.id) not in written

    @pytest.mark.skipif(BEAN_CHECK is None, reason="beancount is not installed")
    def test_is_accepted_by_the_real_one_and_a_wrong_balance_is_not(self, world, tmp_path):
        book = tmp_path / "book.beancount"
        book.write_text(text_of(world, beancount))
        assert BEAN_CHECK
        subprocess.run([BEAN_CHECK, book], check=True, capture_output=True)
        book.write_text(text_of(world, beancount).replace("-7.80 ~", "-7.81 ~"))
        assert subprocess.run([BEAN_CHECK, book], check=False, capture_output=True).returncode != 0

    def test_of_an_empty_book_is_empty(self, database):
        assert text_of(World(database), beancount) == "\n"

    def test_of_a_book_without_a_transfer_opens_its_accounts_all_the_same(self, database):
        world = World(database)
        name = f"Liabilities:Wallet:{world.wallet()}"
        assert text_of(world, beancount) == (
            f"1970-01-01 open {name} EUR\n\n1970-01-02 balance {name}  0.00 ~ 0 EUR\n"
        )


class TestCamt053:
    def test_is_read_back_entry_by_entry(self, world):
        since = world.start + timedelta(hours=1)
        written = statement_of(
            world,
            camt053,
            world.alice,
            since=since,
            until=world.clock(),
            made_at=world.clock(),
            message_id="S-1",
        )
        space = {"c": NAMESPACE}
        made = ET.fromstring(written).find("c:BkToCstmrStmt/c:Stmt", space)
        assert made is not None
        balances = [
            (b.findtext("c:Tp/c:CdOrPrtry/c:Cd", "", space), b.findtext("c:Amt", "", space))
            for b in made.findall("c:Bal", space)
        ]
        assert balances == [("OPBD", "10.00"), ("CLBD", "7.80")]
        entries = made.findall("c:Ntry", space)
        amounts = [(e.findtext("c:Amt", "", space), e.findtext("c:CdtDbtInd", "", space)) for e in entries]
        assert amounts == [("2.50", "DBIT"), ("0.60", "DBIT"), ("0.50", "CRDT"), ("0.40", "CRDT")]
        assert [e.findtext("c:RvslInd", "", space) for e in entries] == ["false", "false", "true", "false"]
        assert entries[0].findtext("c:ValDt/c:Dt", "", space) == "2026-02-27"

    def test_says_from_when_to_when(self, world):
        since, until = world.start + timedelta(hours=1), world.start + timedelta(days=2)
        named = {"made_at": world.clock(), "message_id": "S-1"}
        written = statement_of(world, camt053, world.alice, since=since, until=until, **named)
        span = "<FrToDt><FrDtTm>2026-03-01T13:00:00+00:00</FrDtTm><ToDtTm>2026-03-{}T12:00:00+00:00</ToDtTm></FrToDt>"
        assert span.format("03") in written
        assert _dates(written) == ["2026-03-01", "2026-03-03"]
        written = statement_of(world, camt053, world.alice, since=since, **named)
        assert span.format("04") in written
        assert _dates(written) == ["2026-03-01", "2026-03-04"]

    def test_of_a_whole_life_begins_with_nothing_as_a_credit_and_says_no_time(self, world):
        named = {"made_at": world.clock(), "message_id": "S-1"}
        written = statement_of(world, camt053, world.alice, **named)
        nothing = '<Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">0.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>'
        assert nothing in written
        assert "FrToDt" not in written
        assert _dates(written) == ["2026-03-04", "2026-03-04"]

    def test_cuts_a_long_code_to_what_the_form_takes(self, world):
        world.pay(world.alice, world.bob, 1, code="x" * 64)
        written = statement_of(world, camt053, world.bob, made_at=world.clock(), message_id="S-1")
        assert f"<Cd>{'x' * 35}</Cd>" in written

    @pytest.mark.parametrize("message_id", ["x", "x" * 35])
    def test_takes_a_message_id_of_its_full_length(self, world, message_id):
        made = statement_of(world, camt053, world.alice, made_at=world.clock(), message_id=message_id)
        assert f"<MsgId>{message_id}</MsgId>" in made

    def test_is_refused_for_an_own_unit(self, world):
        with pytest.raises(Invalid, match="DROP2"):
            statement_of(world, camt053, world.drop, made_at=world.clock(), message_id="S-1")

    @pytest.mark.parametrize("message_id", ["", "x" * 36])
    def test_needs_a_message_id(self, world, message_id):
        with pytest.raises(Invalid, match="message id"):
            statement_of(world, camt053, world.alice, made_at=world.clock(), message_id=message_id)


def _dates(written):
    return re.findall(r"<Dt><Dt>([0-9-]+)</Dt></Dt></Bal>", written)


class TestReports:
    def test_trial_balance_has_equal_debits_and_credits_in_each_currency(self, world):
        lines = world.database.read(trial_balance)
        assert [(line.code, str(line.currency), line.accounts) for line in lines] == [
            ("wallet", "DROP2/1", 2), ("card.clearing", "EUR/2", 1), ("safeguarding", "EUR/2", 1), ("wallet", "EUR/2", 2),
            ("wallet", "JPY/0", 2),
        ]  # fmt: skip
        for currency in {line.currency for line in lines}:
            own = [line for line in lines if line.currency == currency]
            assert sum(line.debits_posted for line in own) == sum(line.credits_posted for line in own)

    def test_open_clearing_names_what_has_not_drained(self, world):
        assert [one.id for one in world.database.read(lambda s: open_clearing(s, ["card.clearing"]))] == [
            world.clearing
        ]
        world.pay(world.alice, world.clearing, 40)
        assert world.database.read(lambda s: open_clearing(s, ["card.clearing"])) == ()

    def test_coverage_sets_what_is_owed_against_what_is_held(self, world):
        held = ["safeguarding", "card.clearing"]
        euro = {
            one.currency.code: one
            for one in world.database.read(lambda s: coverage(s, owed=["wallet"], held=held))
        }["EUR"]
        assert (euro.owed_minor, euro.held_minor, euro.surplus_minor) == (1040, 1040, 0)
        euro = {
            one.currency.code: one
            for one in world.database.read(lambda s: coverage(s, owed=["wallet"], held=held[:1]))
        }["EUR"]
        assert euro.surplus_minor == -40

    def test_coverage_is_told_where_there_is_nothing_on_the_other_side(self, world):
        def euro(**codes):
            found = world.database.read(lambda s: coverage(s, **codes))
            return next((one.owed_minor, one.held_minor) for one in found if one.currency.code == "EUR")

        assert euro(owed=["wallet"], held=[]) == (1040, 0)
        assert euro(owed=[], held=["safeguarding", "card.clearing"]) == (0, 1040)
