"""The bank on the admins' pages: statements taken in, whose each line is, and the balance held against the book."""

import re
from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest

from bot.admin.acts import Role
from bot.admin.log import Actor
from bot.funding.statements import BankLine, BankStatement, nothing_told
from bot.web.shield import OF_FILES
from ledger.money import EUR, Money
from tests.integration.web.admins import an_admin, office_of
from tests.integration.web.test_admin_pages import actions, words

FILES = Path(__file__).parents[2] / "data" / "bank"
IMPORT = "/admin/bank/import"
OLGA = Actor("olga", Role.OWNER)


@pytest.fixture
def bank(served):
    """Two lines nobody could be found for: 25 € from somebody, and the bank's fee."""
    lines = (
        BankLine("DE1", date(2026, 11, 20), Money(25_00, EUR), "N-1", "A. Durand, pocket money"),
        BankLine("DE1", date(2026, 11, 20), Money(-3_00, EUR), "N-2", "Kontoführung <b>November</b>"),
    )
    takes_in(served, lines)
    return served


def line_with(served, words) -> int:
    lines = served.street.town.bot.database.read(
        lambda session: office_of(served).bank.lines.newest(session, states=("open",), limit=9)
    )
    found: int = next(each.id for each in lines if words in each.said.text)
    return found


class TestTheBanksLines:
    def test_are_shown_as_the_bank_wrote_them(self, bank):
        page = an_admin(bank).gets("/admin/bank").text
        assert "A. Durand, pocket money" in page
        assert "25.00 €" in page
        assert "-3.00 €" in page
        assert "&lt;b&gt;November" in page

    def test_become_a_proposal_for_who_is_named(self, bank):
        admin = an_admin(bank)
        line = line_with(bank, "pocket money")
        admin.posts(f"/admin/bank/{line}/match", who="@alice", reason="she wrote in")
        street = bank.street
        assert street.count("SELECT count(*) FROM proposals WHERE kind = 'fund' AND state = 'open'") == 1
        assert street.has("alice") == 0
        assert "its proposal" in admin.gets("/admin/bank").text

    def test_are_nobodys_where_an_admin_says_so(self, bank):
        admin = an_admin(bank)
        admin.posts(f"/admin/bank/{line_with(bank, 'Konto')}/ignore", reason="the bank's fee")
        assert "November" not in admin.gets("/admin/bank").text
        assert bank.street.count("SELECT count(*) FROM bank_lines WHERE state = 'ignored'") == 1

    def test_are_not_decided_by_who_may_only_look(self, bank):
        admin = an_admin(bank, "rita", Role.READ)
        page = admin.gets("/admin/bank").text
        assert "Say whose it is" not in page
        line = line_with(bank, "pocket money")
        assert admin.posts(f"/admin/bank/{line}/match", who="@alice", reason="x").status_code == 403

    def test_are_told_which_proposal_they_are(self, bank):
        tom = an_admin(bank, "tom", Role.TREASURER)
        made = tom.posts(
            "/admin/proposals/fund", who="alice", amount="25", reference="another", reason="said so"
        )
        (proposal,) = re.findall(r"/admin/proposals/(\d+)", made.url)
        line = line_with(bank, "pocket money")
        for fields in (
            {"who": "@alice", "proposal": proposal},
            {},
            {"proposal": "x"},
            {"proposal": "9" * 30},
        ):
            assert tom.posts(f"/admin/bank/{line}/match", reason="x", **fields).status_code == 400
        tom.posts(f"/admin/bank/{line}/match", proposal=proposal, reason="her words differ")
        assert bank.street.count(f"SELECT count(*) FROM bank_lines WHERE proposal_id = {proposal}") == 1

    def test_are_shown_by_what_they_are(self, bank):
        admin = an_admin(bank)
        admin.posts(f"/admin/bank/{line_with(bank, 'Konto')}/ignore", reason="the bank's fee")
        assert "November" in admin.gets("/admin/bank?state=ignored").text
        assert "pocket money" not in admin.gets("/admin/bank?state=ignored").text
        assert "pocket money" in admin.gets("/admin/bank?state=open").text
        assert admin.gets("/admin/bank?state=king").status_code == 404

    def test_are_read_page_by_page(self, served_on_sqlite):
        lines = tuple(
            BankLine("DE1", date(2026, 11, 1 + number % 3), Money(1_00, EUR), "", f"no. {number:02d}!")
            for number in range(120)
        )
        takes_in(served_on_sqlite, lines)
        admin, seen, path = an_admin(served_on_sqlite), [], "/admin/bank"
        while path:
            page = admin.gets(path).text
            seen += re.findall(r"no\. (\d\d+)!", page)
            links = re.findall(r'rel="next" href="([^"]+)"', page)
            path = links[0].replace("&amp;", "&") if links else ""
        assert sorted(map(int, seen)) == list(range(120))


def takes_in(served, lines):
    office_of(served).bank.import_statement(
        served.street.town.bot.database,
        lambda _: OLGA,
        BankStatement("csv", lines),
        reason="november.csv",
        told=nothing_told,
    )


class TestAStatement:
    @pytest.mark.parametrize(
        "name",
        ["banco.csv", "banque.csv", "camt053-02.xml", "camt053-08.xml", "english.csv", "sparkasse.csv"],
    )
    def test_is_taken_in_and_each_line_told_of(self, served_on_sqlite, name):
        tom, data = an_admin(served_on_sqlite, "tom", Role.TREASURER), (FILES / name).read_bytes()
        tom.gets("/admin/bank")
        answer = tom.sends(IMPORT, name, data)
        assert answer.status_code == 200, words(answer.text)
        kept = served_on_sqlite.street.count("SELECT count(*) FROM bank_lines")
        assert f"{kept} lines, {kept} of them new" in answer.text
        assert len(re.findall(r'data-th="Became"', answer.text)) == kept > 0
        (act,) = (each for each in actions(served_on_sqlite) if each[0] == "bank.import")
        assert act == (
            "bank.import",
            "bank statement",
            "tom",
            "page",
            f"{name}, sha256 {sha256(data).hexdigest()}",
        )

    def test_becomes_a_proposal_where_it_names_a_member(self, served):
        """As by command: alice is named, the fee is nobody's, what is pending at the bank is no line."""
        tom = an_admin(served, "tom", Role.TREASURER)
        tom.gets("/admin/bank")
        answer = tom.sends(IMPORT, "english.csv", (FILES / "english.csv").read_bytes())
        assert "2 lines, 2 of them new: 1 proposed, 0 matched, 1 open." in answer.text
        assert "1250.00 €" in answer.text
        (proposal,) = re.findall(r"/admin/proposals/(\d+)", answer.text)
        assert "From Alice Durand" in tom.gets("/admin/bank").text
        assert "you proposed it" in tom.gets(f"/admin/proposals/{proposal}").text.lower()
        assert served.street.has("alice") == 0

    def test_that_comes_again_adds_nothing(self, served_on_sqlite):
        tom, data = an_admin(served_on_sqlite, "tom", Role.TREASURER), (FILES / "english.csv").read_bytes()
        tom.gets("/admin/bank")
        tom.sends(IMPORT, "english.csv", data)
        answer = tom.sends(IMPORT, "again.csv", data)
        assert "2 lines, 0 of them new" in answer.text
        assert "known <strong>2</strong>" in answer.text
        assert 'data-th="Became"' not in answer.text
        assert served_on_sqlite.street.count("SELECT count(*) FROM bank_lines") == 2
        assert served_on_sqlite.street.count("SELECT count(*) FROM proposals") == 1

    def test_is_rehearsed_and_nothing_kept(self, served_on_sqlite):
        tom = an_admin(served_on_sqlite, "tom", Role.TREASURER)
        tom.gets("/admin/bank")
        answer = tom.sends(IMPORT, "english.csv", (FILES / "english.csv").read_bytes(), dry_run="yes")
        assert "1 proposed, 0 matched, 1 open. This was a rehearsal: nothing was kept." in answer.text
        assert "What would come of the new lines" in answer.text
        assert "its proposal" not in answer.text
        assert served_on_sqlite.street.count("SELECT count(*) FROM bank_lines") == 0
        assert [each[0] for each in actions(served_on_sqlite)] == ["admin.add", "admin.add"]

    def test_that_names_its_balance_has_it_held_against_the_book(self, served_on_sqlite):
        tom = an_admin(served_on_sqlite, "tom", Role.TREASURER)
        tom.gets("/admin/bank")
        page = words(tom.sends(IMPORT, "camt053-08.xml", (FILES / "camt053-08.xml").read_bytes()).text)
        assert "At the end of 2026-11-26, as the statement says" in page
        assert "At the bank -12.50 €" in page
        assert "In the book 120.00 €" in page
        assert "of it open lines" in page

    @pytest.mark.parametrize(
        ("name", "data", "says"),
        [
            ("cut.xml", b"<Document><BkToCstmrStmt>", "Nothing was imported."),
            (
                "wrong.csv",
                b"Date;Amount;Text\n2026-11-26;1,00;a\nsoon;2,00;b\n",
                "Line 3: &#39;soon&#39; is no day",
            ),
            ("old.zip", b"PK\x03\x04 and so on", "This is a ZIP file; unpack it"),
            ("picture.png", b"\x89PNG\r\n\x1a\n\x00\xff\xfe", "Nothing was imported."),
            ("empty.csv", b"", "Nothing was imported."),
            ("", b"", "file: none was chosen. Nothing was imported."),
            ("<b>x</b>.csv", b"<b>", "Nothing was imported."),
        ],
    )
    def test_that_cannot_be_read_is_one_sentence_and_keeps_nothing(self, served_on_sqlite, name, data, says):
        tom = an_admin(served_on_sqlite, "tom", Role.TREASURER)
        tom.gets("/admin/bank")
        answer = tom.sends(IMPORT, name, data)
        assert (answer.status_code, says in answer.text) == (400, True), words(answer.text)
        assert "<b>x" not in answer.text
        assert 'type="file"' in answer.text
        assert served_on_sqlite.street.count("SELECT count(*) FROM bank_lines") == 0

    def test_is_read_as_the_admin_says_where_it_does_not_say_it_itself(self, served_on_sqlite):
        tom = an_admin(served_on_sqlite, "tom", Role.TREASURER)
        tom.gets("/admin/bank")
        data = b"Tag;Wieviel;Wofuer\n03/04/2026;1,00;a\n"
        assert tom.sends(IMPORT, "own.csv", data).status_code == 400
        said = {"columns": "date=Tag,amount=Wieviel,text=Wofuer"}
        assert tom.sends(IMPORT, "own.csv", data, **said, dates="YY").status_code == 400
        assert tom.sends(IMPORT, "own.csv", data, columns="x", dates="DD/MM").status_code == 400
        assert "2026-04-03" in tom.sends(IMPORT, "own.csv", data, **said, dates="DD/MM").text

    def test_too_large_is_told_so(self, served_on_sqlite):
        tom = an_admin(served_on_sqlite, "tom", Role.TREASURER)
        assert "at most 20 MB" in tom.gets("/admin/bank").text
        answer = tom.sends(IMPORT, "large.csv", b"x" * (20 * 1024 * 1024 + 1))
        assert answer.status_code == 400
        assert "more than 20 MB; ask the bank for a shorter time. Nothing was imported." in answer.text

    def test_far_too_large_is_not_even_read(self, served_on_sqlite):
        tom = an_admin(served_on_sqlite, "tom", Role.TREASURER)
        length = str(OF_FILES[IMPORT] + 1)
        answer = tom.visitor.session.post(
            tom.visitor.address + IMPORT, data=b"", headers={"content-length": length}, timeout=20
        )
        assert answer.status_code == 413

    def test_is_taken_from_nobody_below_a_treasurer_and_not_even_read(self, served_on_sqlite):
        for name, role in (("sam", Role.SUPPORT), ("rita", Role.READ)):
            admin = an_admin(served_on_sqlite, name, role)
            assert 'type="file"' not in admin.gets("/admin/bank").text
            assert 'type="file"' not in admin.gets(IMPORT).text
            answer = admin.sends(IMPORT, "english.csv", (FILES / "english.csv").read_bytes())
            assert (answer.status_code, "needs the role treasurer" in answer.text) == (403, True)
        assert served_on_sqlite.street.count("SELECT count(*) FROM bank_lines") == 0

    def test_is_taken_with_our_own_form_alone(self, served_on_sqlite):
        tom = an_admin(served_on_sqlite, "tom", Role.TREASURER)
        data = (FILES / "english.csv").read_bytes()
        assert tom.sends(IMPORT, "english.csv", data, token="0" * 64).status_code == 403
        assert served_on_sqlite.street.count("SELECT count(*) FROM bank_lines") == 0

    def test_goes_no_further_once_its_admin_is_ended(self, served_on_sqlite, monkeypatch):
        """The role is asked for in each of its transactions."""
        owner, tom = an_admin(served_on_sqlite), an_admin(served_on_sqlite, "tom", Role.TREASURER)
        monkeypatch.setattr("bot.admin.bank.BATCH", 1)
        room, database = office_of(served_on_sqlite).admins, served_on_sqlite.street.town.bot.database

        def ends(done, _total):
            if done == 1:
                database.write(lambda s: room.set_role(s, OLGA, "tom", Role.READ, reason="caught"))

        monkeypatch.setattr("bot.web.admin.bank.nothing_told", ends)
        tom.gets("/admin/bank")
        answer = tom.sends(IMPORT, "english.csv", (FILES / "english.csv").read_bytes())
        assert answer.status_code == 403
        assert served_on_sqlite.street.count("SELECT count(*) FROM bank_lines") == 1
        assert owner.is_in


class TestTheBalance:
    def test_is_held_against_the_book(self, served_on_sqlite):
        rita = an_admin(served_on_sqlite, "rita", Role.READ)
        assert "Bank and book agree" in rita.gets("/admin/bank/balance?balance=120.00").text
        page = words(rita.gets("/admin/bank/balance?balance=100,00").text)
        assert "A part of the difference is unexplained" in page
        assert "Unexplained -20.00 €" in page
        assert rita.gets("/admin/bank/balance?balance=lots").status_code == 400
