"""The bank's lines on the admins' pages: whose each is, or that it is nobody's here."""

from datetime import date

import pytest

from bot.admin.acts import Role
from bot.admin.log import Actor
from bot.funding.statements import BankLine, BankStatement, nothing_told
from ledger.money import EUR, Money
from tests.integration.web.admins import an_admin, office_of

OLGA = Actor("olga", Role.OWNER)


@pytest.fixture
def bank(served):
    """Two lines nobody could be found for: 25 € from somebody, and the bank's fee."""
    lines = (
        BankLine("DE1", date(2026, 11, 20), Money(25_00, EUR), "N-1", "A. Durand, pocket money"),
        BankLine("DE1", date(2026, 11, 20), Money(-3_00, EUR), "N-2", "Kontoführung <b>November</b>"),
    )
    office_of(served).bank.import_statement(
        served.street.town.bot.database,
        OLGA,
        BankStatement("csv", lines),
        reason="november.csv",
        told=nothing_told,
    )
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
