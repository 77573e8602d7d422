"""`smoney bank`, as two admins type it: statements taken in, matched with what they propose, and held against the book."""

import json
import os
from datetime import timedelta

import pytest
from sqlalchemy.exc import DBAPIError

from bot.admin import bank as bank_room
from bot.admin.bank_lines import BankLines
from bot.keys import Keyring, generate
from bot.store.rotation import Rotation
from bot.store.vault import Vault
from bot.wiring import utc_now
from ledger.clock import IdSource
from tests.integration.commands.conftest import smoney_of
from tests.integration.commands.test_treasury_commands import catch_up, types  # noqa: F401 (a fixture)

IBAN = "DE89370400440532013000"
HEADINGS = "Auftragskonto;Buchungstag;Verwendungszweck;Bankreferenz;Betrag;Waehrung\n"


@pytest.fixture
def bank(street, types, tmp_path):  # noqa: F811
    return Bank(street, types, tmp_path)


class Bank:
    """A bank's statement of lines `("50,00", "text", "reference")`, all of today."""

    def __init__(self, street, types, folder):  # noqa: F811
        self.street, self.types, self.folder = street, types, folder
        self.today = utc_now().date()
        self.made = 0

    def statement(self, *lines, day=None):
        self.made += 1
        file = self.folder / f"statement-{self.made}.csv"
        day = (day or self.today).isoformat()
        rows = [f"{IBAN};{day};{text};{reference};{amount};EUR\n" for amount, text, reference in lines]
        file.write_text(HEADINGS + "".join(rows), encoding="utf-8")
        return str(file)

    def imports(self, *lines, by="olga"):
        said = self.types(by, "bank", "import", self.statement(*lines), "--json")
        assert said.code == 0, said.err
        counts = said.rows[0]
        return tuple(counts[name] for name in ("known", "proposed", "matched", "open"))

    def lines(self, *words):
        return self.types("rita", "bank", "lines", "--json", *words).rows

    def proposals(self):
        return self.types("rita", "proposals", "list", "--json").rows

    def proposes(self, kind, who, amount, reference):
        said = self.types(
            "olga", "member", kind, who, amount, "--reference", reference, "--reason", "asked for", "--json"
        )
        assert said.code == 0, said.err
        return str(said.rows[0]["id"])

    def approves(self, proposal, *, by="tom"):
        said = self.types(by, "proposals", "approve", str(proposal), "--reason", "seen", "--yes")
        assert said.code == 0, said.err


class TestAnImport:
    def test_twice_adds_nothing(self, street, bank):
        lines = ("25,50", "fuer @alice", "R1"), ("-3,90", "Entgelt", ""), ("-3,90", "Entgelt", "")
        assert bank.imports(*lines) == (0, 1, 0, 2)
        before = [row for row in street.everything()["bank_lines"] if row]
        assert bank.imports(*lines) == (3, 0, 0, 0)
        assert bank.imports(*lines[1:], ("-3,90", "Entgelt", "")) == (2, 0, 0, 1)
        assert len(before) == 3
        assert len(bank.proposals()) == 1
        assert street.count("SELECT count(*) FROM bank_lines") == 4

    def test_twice_adds_nothing_also_under_another_key(self, street, bank):
        lines = ("25,50", "fuer @alice", "R1"), ("-3,90", "Entgelt", "")
        bank.imports(*lines)
        settings = street.town.settings
        old, new = settings.required("keys"), generate(os.urandom)
        database = street.town.bot.database
        done = Rotation(database, Vault(Keyring(f"{new},{old}"), os.urandom)).run()
        assert [each.done for each in done if each.table == "bank_lines"] == [2]
        rows = BankLines(Vault(Keyring(new), os.urandom), utc_now, IdSource(utc_now, os.urandom))
        known = database.read(lambda session: rows.newest(session, states=("open", "proposed"), limit=9))
        assert {each.said.text for each in known} == {"fuer @alice", "Entgelt"}
        for each in known:
            again = database.write(
                lambda session, each=each: rows.add(session, each.said, "csv", occurrence=1)
            )
            assert again is None

    def test_makes_a_proposal_that_another_one_approves(self, street, bank):
        assert bank.imports(("25,50", "Geschenk fuer @alice", "R1")) == (0, 1, 0, 0)
        (line,), (proposal,) = bank.lines(), bank.proposals()
        assert (line["state"], line["proposal"], line["amount"]) == ("proposed", proposal["id"], "25.50 EUR")
        assert (proposal["kind"], proposal["reference"], proposal["proposed_by"]) == ("fund", "R1", "olga")
        assert street.has("alice") == 10_00
        refused = bank.types("olga", "proposals", "approve", str(proposal["id"]), "--reason", "x", "--yes")
        assert refused.code == 1
        bank.approves(proposal["id"])
        assert street.has("alice") == 35_50
        assert bank.lines() == []
        assert [row["state"] for row in bank.lines("--all")] == ["matched"]
        assert bank.imports(("25,50", "Geschenk fuer @alice", "R1")) == (1, 0, 0, 0)
        assert street.has("alice") == 35_50

    def test_opens_a_line_again_whose_proposal_is_refused(self, bank):
        bank.imports(("25,50", "@alice", "R1"))
        (proposal,) = bank.proposals()
        bank.types("tom", "proposals", "refuse", str(proposal["id"]), "--reason", "not hers")
        (line,) = bank.lines()
        assert (line["state"], line["proposal"]) == ("open", None)
        said = bank.types(
            "olga", "bank", "match", str(line["line"]), "@carol", "--reason", "she wrote", "--json"
        )
        assert (said.rows[0]["person"] is not None, said.rows[0]["state"]) == (True, "open")

    def test_names_a_member_by_number_and_by_handle(self, street, bank):
        alice = street.world.person("alice").id
        assert bank.imports(("1,00", f"smoney {alice}", "R1"), ("2,00", "(at)alice", "R2"))[1] == 2

    @pytest.mark.parametrize(
        "text",
        ["fuer alice", "@alice und @carol", "mail@alice", "@alice.com", "@alicex", "@zoe", "12 Eier", "A{alice}", "{alice}1"],
    )  # fmt: skip
    def test_proposes_nothing_for_a_text_that_names_no_one_member(self, street, bank, text):
        street.tweets("bob", "@smoney send 1€ @zoe")
        named = text.replace("{alice}", str(street.world.person("alice").id))
        assert bank.imports(("25,50", named, "R1")) == (0, 0, 0, 1)
        assert bank.proposals() == []

    def test_leaves_open_what_may_not_be_proposed(self, bank):
        bank.approves(bank.proposes("fund", "@alice", "7", "R1"))
        lines = ("8,00", "@alice", "R1"), ("900000,00", "@alice", "R2"), ("8,00", "@carol", "R3")
        assert bank.imports(*lines) == (0, 1, 0, 2)

    def test_finds_what_was_proposed_by_hand(self, street, bank):
        bank.approves(bank.proposes("fund", "@alice", "7", "SEPA 000123"))
        waiting = bank.proposes("payout", "@bob", "50", "SEPA 000124")
        lines = (
            ("7,00", "@alice", "SEPA 000123"),
            ("-50,00", "SEPA 0001249", "X8"),
            ("-50,00", "Auszahlung SEPA 000124 Bob", "X9"),
        )
        assert bank.imports(*lines) == (0, 1, 1, 1)
        bank.approves(waiting)
        states = {row["reference"]: row["state"] for row in bank.lines("--all")}
        assert states == {"SEPA 000123": "matched", "X9": "matched", "X8": "open"}
        assert (street.has("alice"), street.has("bob")) == (17_00, 40_00)

    def test_does_not_guess_between_two(self, bank):
        for reference in ("SEPA 0001", "SEPA 0002"):
            bank.proposes("payout", "@bob", "5", reference)
        assert bank.imports(("-5,00", "SEPA 0001 SEPA 0002", "X1")) == (0, 0, 0, 1)

    def test_dry_says_what_would_come_of_it_and_keeps_nothing(self, street, bank):
        before = street.everything()
        file = bank.statement(("25,50", "@alice", "R1"), ("-3,90", "Entgelt", ""))
        said = bank.types("olga", "bank", "import", file, "--dry-run")
        assert "2 lines, 2 of them new: 1 proposed, 0 matched, 1 open. This was a rehearsal" in said.out
        assert street.everything() == before

    def test_of_a_wrong_file_is_one_sentence_and_keeps_nothing(self, street, bank, tmp_path):
        file = tmp_path / "wrong.csv"
        file.write_text(HEADINGS + f"{IBAN};{bank.today};@alice;R1;25,50;EUR\n{IBAN};today;;;1,00;EUR\n")
        said = bank.types("olga", "bank", "import", str(file))
        assert (said.code, "Line 3: 'today' is no day" in said.err) == (1, True)
        assert bank.types("olga", "bank", "import", str(file), "--dates", "YY").code == 2
        assert bank.types("olga", "bank", "import", str(tmp_path / "none.csv")).code == 1
        assert street.count("SELECT count(*) FROM bank_lines") == 0

    def test_in_pieces_is_one_import(self, street, bank, monkeypatch):
        monkeypatch.setattr(bank_room, "BATCH", 2)
        lines = [(f"{number},00", f"Nummer {number}", "") for number in range(1, 8)]
        assert bank.imports(*lines) == (0, 0, 0, 7)
        assert bank.imports(*lines) == (7, 0, 0, 0)

    def test_of_another_account_or_another_form_is_refused(self, street, bank, smoney, tmp_path, monkeypatch):
        bank.imports(("25,50", "@alice", "R1"))
        camt = (
            '<Document xmlns="x"><BkToCstmrStmt><Stmt><Acct><Id><IBAN>{}</IBAN></Id></Acct><Ntry><Amt Ccy="EUR">25.50</Amt>'
            "<CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>{}</Dt></BookgDt></Ntry></Stmt></BkToCstmrStmt></Document>"
        )
        file = tmp_path / "same.xml"
        file.write_text(camt.format(IBAN, bank.today))
        said = bank.types("olga", "bank", "import", str(file))
        assert (said.code, "came as csv before" in said.err) == (2, True)
        file.write_text(camt.format("FR7630006000011234567890189", bank.today + timedelta(days=1)))
        monkeypatch.setenv("SMONEY_BANK_ACCOUNT", "de89 3704 0044 0532 0130 00")
        said = bank.types("olga", "bank", "import", str(file))
        assert (said.code, f"is not the account that is set, {IBAN}" in said.err) == (2, True)
        assert street.count("SELECT count(*) FROM bank_lines") == 1

    def test_takes_an_admin_with_a_name(self, street, smoney, tmp_path):
        file = tmp_path / "one.csv"
        file.write_text(HEADINGS + f"{IBAN};{utc_now().date()};@alice;R1;25,50;EUR\n")
        said = smoney("bank", "import", str(file))
        assert (said.code, "two admins with names" in said.err) == (1, True)
        assert street.count("SELECT count(*) FROM bank_lines") == 0

    def test_leaves_reversals_to_people(self, bank, tmp_path):
        file = tmp_path / "back.xml"
        file.write_text(
            '<Document xmlns="x"><BkToCstmrStmt><Stmt><Acct><Id><IBAN>X</IBAN></Id></Acct><Ntry><Amt Ccy="EUR">25.50</Amt>'
            "<CdtDbtInd>CRDT</CdtDbtInd><RvslInd>true</RvslInd><Sts><Cd>BOOK</Cd></Sts>"
            f"<BookgDt><Dt>{bank.today}</Dt></BookgDt><AddtlNtryInf>@alice</AddtlNtryInf></Ntry></Stmt></BkToCstmrStmt></Document>"
        )
        assert bank.types("olga", "bank", "import", str(file), "--json").rows[0]["open"] == 1
        assert bank.lines()[0]["text"] == "(reversal) @alice"


class TestByHand:
    def test_a_line_is_matched_with_somebody_or_the_operator(self, street, bank):
        bank.imports(("25,50", "Oma", "R1"), ("1000,00", "Einlage", ""))
        small, large = sorted(bank.lines(), key=lambda row: float(row["amount"].split()[0]))
        for line, who in ((small, "@alice"), (large, "operator")):
            said = bank.types("olga", "bank", "match", str(line["line"]), who, "--reason", "known", "--json")
            assert said.code == 0, said.err
            bank.approves(said.rows[0]["id"])
        assert bank.lines() == []
        assert street.has("alice") == 35_50
        again = bank.types("olga", "bank", "match", str(small["line"]), "@alice", "--reason", "again")
        assert (again.code, "is matched already" in again.err) == (2, True)

    def test_a_payout_is_found_by_whom_it_went_to(self, bank):
        first = bank.proposes("payout", "@bob", "5", "SEPA 1")
        bank.imports(("-5,00", "Bob Martin", "X1"), ("-6,00", "Bob Martin", "X2"))
        by_amount = {row["amount"]: str(row["line"]) for row in bank.lines()}
        none = bank.types("olga", "bank", "match", by_amount["-6.00 EUR"], "@bob", "--reason", "his")
        assert (none.code, "fits 0 payouts" in none.err) == (2, True)
        second = bank.proposes("payout", "@bob", "5", "SEPA 2")
        two = bank.types("olga", "bank", "match", by_amount["-5.00 EUR"], "@bob", "--reason", "his")
        assert (two.code, "fits 2 payouts" in two.err) == (2, True)
        line, given = by_amount["-5.00 EUR"], ("--reason", "his", "--json")
        assert bank.types("olga", "bank", "match", line, "--proposal", second, *given).rows[0]["id"] == int(
            second
        )
        wrong = bank.types("olga", "bank", "match", by_amount["-6.00 EUR"], "--proposal", first, *given)
        assert (wrong.code, "is no proposal of -6.00 EUR" in wrong.err) == (2, True)

    def test_a_line_is_ignored_and_can_be_matched_after_all(self, bank):
        bank.imports(("25,50", "Irrlaeufer", "R1"))
        line = str(bank.lines()[0]["line"])
        assert bank.types("olga", "bank", "ignore", line, "--reason", "the bank's mistake").code == 0
        assert bank.lines() == []
        assert bank.types("olga", "bank", "ignore", line, "--reason", "again").code == 2
        assert bank.types("olga", "bank", "match", line, "@alice", "--reason", "hers after all").code == 0

    def test_needs_somebody_or_a_proposal_and_not_both(self, bank):
        assert bank.types("olga", "bank", "match", "1", "--reason", "x").code == 2
        assert bank.types("olga", "bank", "match", "1", "@bob", "--proposal", "1", "--reason", "x").code == 2
        assert bank.types("olga", "bank", "match", "1", "@bob", "--reason", "x").code == 2

    def test_each_is_written_down(self, street, bank):
        bank.imports(("-3,90", "Entgelt", ""))
        bank.types("olga", "bank", "ignore", str(bank.lines()[0]["line"]), "--reason", "fees")
        acts = {row["action"] for row in street.everything()["admin_actions"]}
        assert acts == {"admin.add", "bank.import", "bank.ignore"}


class TestAReader:
    @pytest.mark.parametrize("more", [(), ("--dry-run",)])
    def test_imports_nothing(self, street, bank, more):
        file, before = bank.statement(("25,50", "@alice", "R1")), street.everything()
        said = bank.types("rita", "bank", "import", file, *more)
        assert (said.code, "needs the role treasurer" in said.err) == (1, True)
        assert street.everything() == before


class TestTheRows:
    @pytest.mark.parametrize(
        "change",
        ["SET amount_minor = 1", "SET booked_on = '2020-01-01'", "SET currency = 'USD'", "SET state = 'open', proposal_id = NULL",
         "SET form = 'camt053'", "SET imported_at = 1"],
    )  # fmt: skip
    def test_never_change(self, street, bank, change):
        bank.imports(("25,50", "@alice", "R1"))
        bank.approves(bank.proposals()[0]["id"])
        with pytest.raises(DBAPIError, match="never changed"):
            street.change(f"UPDATE bank_lines {change}")
        with pytest.raises(DBAPIError, match="never deleted"):
            street.change("DELETE FROM bank_lines")

    def test_lose_their_words_with_whose_they_were(self, street, bank):
        bank.imports(("25,50", "Alice Durand fuer @alice", "R1"))
        bank.approves(bank.proposals()[0]["id"])
        catch_up(street)
        street.says("alice", "send 35.50€ to @bob")
        street.answers("alice")
        street.says("alice", "erase me")
        street.answers("alice")
        (row,) = bank.lines("--all")
        assert (row["text"], row["amount"], row["state"]) == ("", "25.50 EUR", "matched")


class TestTheBooks:
    def test_are_found_wanting_where_a_line_is_matched_with_something_else(self, street, bank):
        bank.approves(bank.proposes("fund", "@alice", "7", "R1"))
        bank.imports(("7,00", "R1", "R1"), ("8,00", "?", "R2"))
        assert bank.types("rita", "ledger", "verify").code == 0
        bank.approves(bank.proposes("fund", "@alice", "9", "R3"))
        other = "SELECT id FROM proposals WHERE amount_minor = 900"
        street.change(
            f"UPDATE bank_lines SET state = 'matched', proposal_id = ({other}) WHERE state = 'open'"
        )
        said = bank.types("rita", "ledger", "verify")
        assert (said.code, "is not done or of another amount" in said.out) == (3, True)


class TestReconciling:
    @pytest.fixture(autouse=True)
    def _real(self, street):
        """The bank of a book that is no demo's; what people began with was given them by nobody."""
        street.change("UPDATE book SET is_demo = (1 = 0)")

    def says(self, bank, *words):
        said = bank.types("rita", "bank", "reconcile", *words, "--json")
        return said.code, json.loads(said.out)

    def test_names_what_makes_up_the_difference(self, bank):
        bank.imports(
            ("100,00", "@alice", "R1"), ("7,00", "@carol", "R2"), ("3,00", "?", ""), ("-2,00", "Entgelt", "")
        )
        by_amount = {row["amount"]: row for row in bank.lines()}
        bank.approves(by_amount["100.00 EUR"]["proposal"])
        bank.types("olga", "bank", "ignore", str(by_amount["-2.00 EUR"]["line"]), "--reason", "fees")
        bank.approves(bank.proposes("payout", "@bob", "40", "SEPA 9"))
        unseen = [row for row in bank.lines() if row["state"] == "not at the bank"]
        assert [(row["amount"], row["reference"]) for row in unseen] == [("-40.00 EUR", "SEPA 9")]
        code, found = self.says(bank, "--balance", "108,00")
        assert (code, found["unexplained"]) == (0, "0.00 €")
        assert found == {
            "on": None, "bank": "108.00 €", "book": "60.00 €", "difference": "48.00 €",
            "lines that wait for approval": "7.00 €", "open lines": "3.00 €", "ignored lines": "-2.00 €",
            "done, and no line of the bank's": "40.00 €", "unexplained": "0.00 €",
        }  # fmt: skip
        code, found = self.says(bank, "--balance", "107,99")
        assert (code, found["unexplained"]) == (1, "-0.01 €")

    def test_goes_by_the_day_of_the_statement(self, bank, tmp_path):
        bank.imports(("100,00", "@alice", "R1"))
        bank.approves(bank.proposals()[0]["id"])
        day = bank.today - timedelta(days=1)
        file = tmp_path / "yesterday.xml"
        file.write_text(
            '<Document xmlns="x"><BkToCstmrStmt><Stmt><Acct><Id><IBAN>X</IBAN></Id></Acct><Bal><Tp><CdOrPrtry><Cd>CLBD</Cd>'
            '</CdOrPrtry></Tp><Amt Ccy="EUR">0</Amt><CdtDbtInd>CRDT</CdtDbtInd>'
            f"<Dt><Dt>{day}</Dt></Dt></Bal></Stmt></BkToCstmrStmt></Document>"
        )
        code, found = self.says(bank, str(file))
        assert (code, found["on"], found["matched lines of later days"]) == (0, str(day), "-100.00 €")
        code, found = self.says(bank, "--balance", "0")
        assert (code, found["unexplained"]) == (1, "-100.00 €")

    def test_takes_a_file_or_a_balance(self, bank):
        assert bank.types("rita", "bank", "reconcile").code == 2
        said = bank.types("rita", "bank", "reconcile", bank.statement(("1,00", "", "")))
        assert (said.code, "has no closing balance" in said.err) == (2, True)


class TestOurOwnStatement:
    def test_is_read_back_as_it_was_written(self, street, bank, tmp_path):
        """What `smoney ledger statement` writes of the account at the bank is a statement like any other."""
        for amount, reference in (("40", "R1"), ("2.50", "R2")):
            bank.approves(bank.proposes("fund", "@alice", amount, reference))
        bank.approves(bank.proposes("payout", "@bob", "9", "R3"))
        account = str(street.count("SELECT account_id FROM house_accounts WHERE code = 'test_money'"))
        file = tmp_path / "own.xml"
        said = bank.types("rita", "ledger", "statement", account, "--format", "camt053", "--out", str(file))
        assert said.code == 0, said.err
        said = bank.types("olga", "bank", "import", str(file), "--json")
        assert (said.code, said.rows[0]["open"]) == (0, 5)
        assert sorted(row["amount"] for row in bank.lines() if row["line"])[:3] == [
            "-9.00 EUR",
            "100.00 EUR",
            "2.50 EUR",
        ]
        said = bank.types("rita", "bank", "reconcile", str(file), "--json")
        assert json.loads(said.out)["difference"] == "0.00 €"


def test_a_settings_file_says_whose_statements_are_taken(street, tmp_path):
    assert smoney_of(street, tmp_path / "other.env")("bank", "lines").code == 0
