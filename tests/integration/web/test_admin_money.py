"""Money that admins move, by page: one proposes, another one approves; and an account frozen, thawed and noted on."""

import re

import pytest

from bot.admin.acts import Role
from bot.auditing import verify
from tests.integration.web.admins import Admin, an_admin
from tests.integration.web.test_admin_pages import WHY, actions, bob

BANK = "SEPA 26/11 no. 7"


@pytest.fixture
def olga(served) -> Admin:
    return an_admin(served, "olga", Role.OWNER)


@pytest.fixture
def tom(served, olga) -> Admin:
    return an_admin(served, "tom", Role.TREASURER)


def proposes(served, admin: Admin, kind: str, amount: str = "25,50", reference: str = BANK) -> str:
    """Returns the path of the proposal's page, where the answer leads."""
    answer = admin.posts(
        f"/admin/proposals/{kind}", who=str(bob(served)), amount=amount, reference=reference, reason=WHY
    )
    assert answer.status_code == 200, answer.text
    return str(re.sub(r"^.*?(/admin/proposals/\d+).*$", r"\1", answer.url))


class TestMoneyInAndOut:
    @pytest.mark.parametrize(("kind", "has"), [("fund", 125_50), ("payout", 74_50)])
    def test_moves_at_the_word_of_a_second_admin_and_not_before(self, served, olga, tom, kind, has):
        path = proposes(served, tom, kind)
        assert served.street.has("bob") == 100_00
        assert path in tom.gets("/admin/proposals").text
        assert BANK in tom.gets(path).text
        assert "/approve" not in tom.gets(path).text
        refused = tom.posts(path + "/approve", reason=WHY)
        assert refused.status_code == 403
        assert "somebody else has to approve" in refused.text
        assert "Done: the money has moved" in olga.posts(path + "/approve", reason="on the statement").text
        assert served.street.has("bob") == has
        assert actions(served)[0][:4] == (
            f"{kind}.approve",
            f"proposal {path.split('/')[-1]}",
            "olga",
            "page",
        )
        served.street.town.settle()
        assert BANK in served.street.heard("bob")[-1]
        assert verify(served.street.town.bot.database, served.street.town.settings).findings == ()

    def test_is_refused_by_a_second_admin(self, served, olga, tom):
        path = proposes(served, tom, "fund")
        assert "nothing has moved" in olga.posts(path + "/refuse", reason="not on the statement").text
        assert served.street.has("bob") == 100_00
        assert path in olga.gets("/admin/proposals?state=refused").text
        assert path not in olga.gets("/admin/proposals").text

    def test_stands_open_for_three_days(self, served, olga, tom):
        path = proposes(served, tom, "fund")
        served.street.passes(days=4)
        olga.signs_in()
        assert "stood open for too long" in olga.posts(path + "/approve", reason=WHY).text
        assert served.street.has("bob") == 100_00

    @pytest.mark.parametrize("amount", ["", "1,5", "1.000,00", "-5", "0", "a lot"])
    def test_takes_no_amount_that_could_be_read_in_two_ways(self, served_on_sqlite, amount):
        tom = an_admin(served_on_sqlite, "tom", Role.TREASURER)
        answer = tom.posts("/admin/proposals/fund", who="bob", amount=amount, reference=BANK, reason=WHY)
        assert answer.status_code == 400
        assert served_on_sqlite.street.count("SELECT count(*) FROM proposals") == 0

    def test_is_not_for_support(self, served_on_sqlite):
        tom = an_admin(served_on_sqlite, "tom", Role.TREASURER)
        sam = an_admin(served_on_sqlite, "sam", Role.SUPPORT)
        path = proposes(served_on_sqlite, tom, "fund")
        assert "/admin/proposals/fund" not in sam.gets(f"/admin/members/{bob(served_on_sqlite)}").text
        assert sam.posts(path + "/refuse", reason=WHY).status_code == 403
        assert sam.posts(path + "/approve", reason=WHY).status_code == 403
        assert served_on_sqlite.street.count("SELECT count(*) FROM proposals WHERE state = 'open'") == 1


class TestARefund:
    @pytest.fixture
    def paid(self, served) -> str:
        """The reference of 60 € from bob to alice."""
        served.street.tweets("bob", "@smoney send 60€ @alice")
        served.street.answers("bob")
        return str(served.street.reference("bob"))

    def test_that_is_small_is_done_at_once_by_support(self, served, paid):
        sam = an_admin(served, "sam", Role.SUPPORT)
        assert f"/admin/payments/{paid}/refund" in sam.gets(f"/admin/payments/{paid}").text
        page = sam.posts(f"/admin/payments/{paid}/refund", amount="10", reason="one ticket too many").text
        assert "the money has moved" in page
        assert (served.street.has("bob"), served.street.has("alice")) == (50_00, 50_00)
        assert actions(served)[0][:2] == ("refund.alone", f"payment {paid}")

    def test_that_is_large_takes_another_one(self, served, paid, olga):
        sam = an_admin(served, "sam", Role.SUPPORT)
        answer = sam.posts(f"/admin/payments/{paid}/refund", reason="the wrong one")
        assert "nothing has moved yet" in answer.text
        path = re.sub(r"^.*?(/admin/proposals/\d+).*$", r"\1", answer.url)
        assert sam.posts(path + "/approve", reason=WHY).status_code == 403
        page = olga.gets(path).text
        assert f"/admin/payments/{paid}" in page
        assert f"/admin/members/{served.street.world.person('alice').id}" in page
        olga.posts(path + "/approve", reason=WHY)
        assert (served.street.has("bob"), served.street.has("alice")) == (100_00, 0)

    def test_of_what_was_spent_is_refused_in_a_sentence(self, served_on_sqlite):
        street = served_on_sqlite.street
        street.tweets("bob", "@smoney send 60€ @alice")
        street.answers("bob")
        reference = street.reference("bob")
        street.tweets("alice", "@smoney send 55€ @carol")
        street.answers("alice")
        sam = an_admin(served_on_sqlite, "sam", Role.SUPPORT)
        answer = sam.posts(f"/admin/payments/{reference}/refund", amount="20", reason="the wrong one")
        assert answer.status_code == 400
        assert "Not done" in answer.text
        assert street.has("alice") == 5_00


class TestAMembersAccount:
    def test_is_frozen_noted_on_and_thawed(self, served):
        sam = an_admin(served, "sam", Role.SUPPORT)
        path = f"/admin/members/{bob(served)}"
        page = sam.posts(f"{path}/freeze", reason="their phone was stolen").text
        assert "their phone was stolen" in page
        served.street.tweets("bob", "@smoney send 10€ @alice")
        assert served.street.payments == 0
        assert "called twice" in sam.posts(f"{path}/note", reason="called twice, nobody there").text
        assert "/thaw" in sam.gets(path).text
        sam.posts(f"{path}/thaw", reason="seen with a passport")
        assert "not frozen" in sam.posts(f"{path}/thaw", reason="again").text
        assert [each[0] for each in actions(served)[:3]] == ["member.thaw", "member.note", "member.freeze"]

    def test_shows_what_they_may_pay_and_hold(self, served_on_sqlite):
        sam = an_admin(served_on_sqlite, "sam", Role.READ)
        assert "30 days" in sam.gets(f"/admin/members/{bob(served_on_sqlite)}").text
