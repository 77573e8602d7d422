"""What admins see and do on their pages: each act is done, and written down with who, by page, and why."""

import csv
import io
import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from bot.admin.acts import Role
from bot.admin.listing import Listing
from bot.admin.log import LOOKS
from bot.auditing import verify
from bot.sandbox.faults import FaultKind
from bot.sandbox.limits import Operation
from bot.sealing import public_keys, seal
from bot.watching.names import Alarm
from ledger.clock import microseconds_of
from ledger.seals import check_proof
from tests.integration.payments.test_wrong_answers import is_barred
from tests.integration.web.admins import Admin, an_admin, office_of
from tests.integration.web.conftest import serving_town

WHY = "asked for by letter"


RESTORED = "INSERT INTO restores (id, made_at, restored_at, manifest) VALUES (7, :at, :at, '{}')"


def actions(served):
    newest = served.street.town.bot.database.read(office_of(served).log.newest)
    return [(each.action, each.subject, each.by, each.channel, each.reason) for each in newest]


def change(served, statement, **values):
    served.street.town.bot.database.write(
        lambda session: session.connection().execute(text(statement), values) and None
    )


def bob(served) -> int:
    return int(served.street.world.person("bob").id)


def words(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page))


@pytest.fixture
def paid(served):
    """bob has paid alice 10 €."""
    served.street.tweets("bob", "@smoney send 10€ @alice for <i>pizza</i>")
    served.street.answers("bob")
    return served


class TestTheOverview:
    def test_shows_payments_queues_money_and_costs(self, paid):
        page = an_admin(paid).gets("/admin").text
        assert "All is well" in page
        assert "12:00: 1" in page
        assert "120.00 €" in page
        assert "Covered, with 0.00 €" in page
        assert re.search(r"in 24 h: 9+\d+ of 1000000", words(page))

    def test_shows_refusals_by_reason(self, paid):
        paid.street.tweets("carol", "@smoney send 90€ @alice")
        assert "insufficient funds" in an_admin(paid).gets("/admin").text

    def test_says_when_nothing_is_read(self, served_on_sqlite):
        admin = an_admin(served_on_sqlite)
        served_on_sqlite.street.sleeps(minutes=20)
        page = admin.gets("/admin").text
        assert "Look closer" in page
        assert "X was not read for a while" in page

    def test_shows_open_alarms_with_their_facts(self, served_on_sqlite):
        at = microseconds_of(served_on_sqlite.street.world.now())
        change(
            served_on_sqlite,
            "INSERT INTO alarms (id, name, raised_at, facts) VALUES (7, 'disk_low', :at, :facts)",
            at=at,
            facts='{"free_mb": 12}',
        )
        admin = an_admin(served_on_sqlite)
        page = words(admin.gets("/admin").text)
        assert "Look closer" in page
        assert "disk low since 2026-11-23 12:00:00 · free mb 12 · what to do" in page
        assert 'href="/admin/runbook#disk_low"' in admin.gets("/admin").text
        sections = re.findall(r'<section class="card prose" id="(\w+)">', admin.gets("/admin/runbook").text)
        assert sections[0] == "disk_low"
        assert set(Alarm) <= set(sections)

    def test_says_what_to_do_after_a_restore(self, served_on_sqlite):
        at = microseconds_of(served_on_sqlite.street.world.now())
        change(served_on_sqlite, RESTORED, at=at)
        page = words(an_admin(served_on_sqlite).gets("/admin").text)
        assert "This book was restored at 2026-11-23 12:00:00" in page
        assert "then an owner lets payments go on" in page

    def test_leads_to_what_x_costs_day_by_day(self, paid):
        paid.street.town.bot.usage.note()
        admin = an_admin(paid)
        assert 'href="/admin/usage"' in admin.gets("/admin").text
        page = words(admin.gets("/admin/usage?days=30").text)
        assert "2026-11-23 send_message" in page
        assert "Payments 1" in page
        assert admin.gets("/admin/usage?days=0").status_code == 404

    def test_asks_again_by_itself(self, served_on_sqlite):
        admin = an_admin(served_on_sqlite)
        assert 'hx-get="/admin/live"' in admin.gets("/admin").text
        fragment = admin.gets("/admin/live").text
        assert 'hx-get="/admin/live"' in fragment
        assert "<html" not in fragment


class TestPayments:
    def test_are_listed_found_by_reference_and_told_in_order(self, paid):
        admin, reference = an_admin(paid), paid.street.reference("bob")
        assert reference in admin.gets("/admin/payments").text
        page = admin.gets(f"/admin/payments?find={reference.lower()}").text
        kinds = re.findall(r'<span class="state (said|asked|answered|moved|told|ended)">', page)
        assert kinds.index("said") < kinds.index("asked") < kinds.index("answered") < kinds.index("moved")
        assert "&lt;i&gt;pizza" in page
        assert "<i>pizza" not in page

    def test_never_show_a_code(self, paid):
        digits = paid.street.code("bob").split(" ")[1]
        page = an_admin(paid).gets(f"/admin/payments/{paid.street.reference('bob')}").text
        assert digits not in page

    def test_of_one_person_are_listed_by_side(self, paid):
        admin, reference = an_admin(paid), paid.street.reference("bob")
        assert reference in admin.gets(f"/admin/payments?person={bob(paid)}&side=out").text
        assert reference not in admin.gets(f"/admin/payments?person={bob(paid)}&side=in").text
        alice = paid.street.world.person("alice").id
        assert reference in admin.gets(f"/admin/payments?person={alice}&side=in").text

    def test_are_listed_page_by_page_and_none_is_left_out(self, served):
        for cents in range(5):
            served.street.tweets("bob", f"@smoney send 1.{cents:02d}€ @alice @carol")
            served.street.answers("bob")
        listing = Listing(served.street.town.bot.people)
        read = served.street.town.bot.database.read
        for one, rows in (("paid_by", 10), ("paid_to", 5)):
            who = bob(served) if one == "paid_by" else served.street.world.person("alice").id
            seen, before = [], 2**63 - 1
            while before:
                found = read(lambda s: getattr(listing, one)(s, who, before=before, long=2))  # noqa: B023
                seen += [(row.reference, row.payee_id) for row in found.rows]
                before = found.older
            assert len(seen) == len(set(seen)) == rows

    def test_are_found_by_person_amount_and_time(self, paid):
        admin, reference = an_admin(paid), paid.street.reference("bob")

        def finds(query: str) -> bool:
            answer = admin.gets(f"/admin/payments/found?{query}")
            assert answer.status_code == 200
            return f"/admin/payments/{reference}" in answer.text

        assert finds("who=&amount=&since=&until=")
        assert finds("who=@alice&amount=10")
        assert finds("amount=10,00&since=2026-11-23&until=2026-11-23")
        assert not finds("amount=10.01")
        assert not finds("who=carol")
        assert not finds("since=2026-11-24")
        assert not finds("until=2026-11-22")
        for wrong in ("amount=lots", "who=nobody"):
            assert admin.gets(f"/admin/payments/found?{wrong}").status_code == 400
        assert admin.gets("/admin/payments/found?since=soon").status_code == 404

    def test_are_proved_once_they_are_sealed(self, paid):
        admin, reference = an_admin(paid), paid.street.reference("bob")
        early = admin.gets(f"/admin/payments/{reference}/proof")
        assert (early.status_code, "is not sealed yet" in early.text) == (400, True)
        town = paid.street.town
        paid.street.passes(minutes=5)
        seal(town.bot.database, town.settings, town.bot.clock)
        answer = admin.gets(f"/admin/payments/{reference}/proof")
        assert answer.headers["content-disposition"] == f'attachment; filename="{reference}.json"'
        (key,) = public_keys(town.settings)
        assert check_proof(json.loads(answer.text), key)["amount_minor"] == 10_00

    def test_of_nothing_is_a_sentence(self, served):
        answer = an_admin(served).gets("/admin/payments/P-AAAAAA")
        assert answer.status_code == 400
        assert "no payment" in answer.text


class TestAMember:
    def test_is_found_by_handle_id_and_reference(self, paid):
        admin = an_admin(paid)
        for wanted in ("bob", "@BOB", str(bob(paid)), paid.street.reference("bob")):
            page = admin.gets(f"/admin/members?find={wanted}")
            assert page.url.endswith(f"/admin/members/{bob(paid)}")
            assert "90.00 €" in page.text

    @pytest.mark.parametrize("wanted", ["nobody", "%00", "9" * 19, "9" * 40, "-5", "%F0%9F", "' OR 1=1"])
    def test_who_is_nobody_is_a_sentence(self, served, wanted):
        answer = an_admin(served).gets(f"/admin/members?find={wanted}")
        assert answer.status_code == 200

    @pytest.mark.parametrize("path", ["members/x", "members/" + "9" * 30, "inbox/1e3", "ledger?after=-1"])
    def test_and_a_path_that_cannot_be_are_not_found(self, served_on_sqlite, path):
        answer = an_admin(served_on_sqlite).gets(f"/admin/{path}")
        assert answer.status_code == 404
        assert "<html" in answer.text

    def test_is_unlocked(self, served):
        is_barred(served.street)
        admin = an_admin(served, "ben", Role.SUPPORT)
        assert "barred" in admin.gets(f"/admin/members/{bob(served)}").text
        page = admin.posts(f"/admin/members/{bob(served)}/unlock", reason=WHY).text
        assert "Done, and written into the audit log" in page
        assert WHY in page
        assert served.street.count("SELECT count(*) FROM people WHERE barred_at IS NOT NULL") == 0
        assert actions(served)[0] == ("person.unlock", f"person {bob(served)}", "ben", "page", WHY)

    def test_is_given_a_tier(self, served_on_sqlite):
        admin = an_admin(served_on_sqlite, "ben", Role.SUPPORT)
        admin.posts(f"/admin/members/{bob(served_on_sqlite)}/tier", tier="merchant", reason=WHY)
        assert served_on_sqlite.street.count("SELECT count(*) FROM people WHERE tier = 'merchant'") == 1
        assert (
            admin.posts(f"/admin/members/{bob(served_on_sqlite)}/tier", tier="king", reason=WHY).status_code
            == 400
        )

    def test_gets_nothing_done_without_a_reason(self, served_on_sqlite):
        admin = an_admin(served_on_sqlite, "ben", Role.SUPPORT)
        answer = admin.posts(f"/admin/members/{bob(served_on_sqlite)}/tier", tier="merchant", reason="  ")
        assert answer.status_code == 400
        assert "must say why" in answer.text
        assert served_on_sqlite.street.count("SELECT count(*) FROM people WHERE tier = 'merchant'") == 0

    def test_loses_a_factor_they_have_lost(self, served_on_sqlite):
        admin = an_admin(served_on_sqlite, "ben", Role.SUPPORT)
        admin.posts(f"/admin/members/{bob(served_on_sqlite)}/end-factor", reason=WHY)
        assert actions(served_on_sqlite)[0][0] == "person.end-factor"

    def test_has_their_data_fetched_for_them(self, served_on_sqlite):
        admin = an_admin(served_on_sqlite, "ben", Role.SUPPORT)
        answer = admin.posts(f"/admin/members/{bob(served_on_sqlite)}/data", reason=WHY)
        assert answer.headers["content-disposition"].startswith("attachment")
        assert json.loads(answer.text)["tables"]["people"][0]["username"] == "bob"
        assert actions(served_on_sqlite)[0][0] == "member.data"

    def test_shows_no_form_to_who_may_only_look(self, served_on_sqlite):
        page = (
            an_admin(served_on_sqlite, "ben", Role.READ).gets(f"/admin/members/{bob(served_on_sqlite)}").text
        )
        assert "/unlock" not in page


class TestHostileText:
    NAME = "<script>alert(1)</script>\"'><b onclick=x>"

    def test_is_escaped_on_every_page(self, served_on_sqlite):
        street = served_on_sqlite.street
        street.world.create_person("mallory", self.NAME)
        street.says("mallory", "start")
        street.tweets("bob", f"@smoney send 1€ @mallory for {self.NAME}")
        street.answers("bob")
        admin = an_admin(served_on_sqlite)
        admin.posts(f"/admin/members/{bob(served_on_sqlite)}/note", reason=self.NAME)
        mallory = street.world.person("mallory").id
        shown = 0
        for path in ("payments", f"payments/{street.reference('bob')}", f"members/{mallory}", "audit", "members?find=mallory",
                     f"members/{bob(served_on_sqlite)}", f"audit?subject={self.NAME}", f"members?find={self.NAME}"):  # fmt: skip
            page = admin.gets(f"/admin/{path}").text
            assert "alert(1)</script>" not in page
            assert "<b onclick" not in page
            shown += "alert(1)&lt;/script" in page
        assert shown >= 6


class TestReviews:
    @pytest.mark.parametrize(("act", "carol"), [("release", 21_00), ("refuse", 20_00)])
    def test_are_decided(self, database_url, tmp_path, act, carol):
        with serving_town(database_url, tmp_path, review_new_payees=1) as served:
            served.street.tweets("bob", "@smoney send 1€ @carol")
            served.street.answers("bob")
            admin = an_admin(served, "ben", Role.SUPPORT)
            (reference,) = re.findall(r"/admin/reviews/(P-\w+)/release", admin.gets("/admin/reviews").text)
            assert "Nothing waits" in admin.posts(f"/admin/reviews/{reference}/{act}", reason=WHY).text
            assert served.street.has("carol") == carol
            again = admin.posts(f"/admin/reviews/{reference}/{act}", reason=WHY)
            assert "not under review" in again.text
            assert actions(served)[0][0] == f"review.{act}"


class TestQueues:
    @pytest.fixture
    def aside(self, served) -> int:
        """bob's order of 5 €, set aside as if by a fault; its row's id."""
        served.street.tweets("bob", "@smoney send 5€ @carol", settle=False)
        served.street.town.bot.listening.read_mentions()
        change(served, "UPDATE inbox SET state = 'set_aside', reason = 'a fault' WHERE state = 'waiting'")
        return int(served.street.count("SELECT id FROM inbox WHERE state = 'set_aside'"))

    def test_show_what_was_set_aside_and_try_it_again(self, served, aside):
        admin = an_admin(served, "ben", Role.SUPPORT)
        assert f"/admin/inbox/{aside}" in admin.gets("/admin/inbox?state=set_aside").text
        assert "send 5€ @carol" in admin.gets(f"/admin/inbox/{aside}").text
        assert "Done" in admin.posts(f"/admin/inbox/{aside}/retry", reason=WHY).text
        served.street.town.settle()
        served.street.answers("bob")
        assert served.street.has("carol") == 25_00

    def test_give_a_row_up(self, served, aside):
        admin = an_admin(served, "ben", Role.SUPPORT)
        admin.posts(f"/admin/inbox/{aside}/drop", reason=WHY)
        assert served.street.count("SELECT count(*) FROM inbox WHERE state = 'set_aside'") == 0
        assert actions(served)[0][:2] == ("inbox.drop", f"inbox {aside}")

    def test_show_what_could_not_be_said_and_try_it_again(self, served):
        served.street.says("bob", "balance")
        change(served, "UPDATE outbox SET state = 'failed' WHERE phrase = 'balance'")
        admin = an_admin(served, "ben", Role.SUPPORT)
        (row,) = re.findall(r'href="/admin/outbox/(\d+)"', admin.gets("/admin/outbox?state=failed").text)
        assert "balance" in admin.gets(f"/admin/outbox/{row}").text
        admin.posts(f"/admin/outbox/{row}/retry", reason=WHY)
        assert served.street.count("SELECT count(*) FROM outbox WHERE state = 'waiting'") == 1
        admin.posts(f"/admin/outbox/{row}/drop", reason=WHY)
        assert served.street.count("SELECT count(*) FROM outbox WHERE state = 'dropped'") == 1

    def test_show_what_was_dropped(self, served):
        for _ in range(3):
            served.street.says("bob", "balance")
        change(served, "UPDATE outbox SET state = 'dropped' WHERE phrase = 'balance'")
        page = an_admin(served, "ben", Role.SUPPORT).gets("/admin/outbox?state=dropped").text
        assert len(set(re.findall(r'href="/admin/outbox/(\d+)"', page))) == 3
        assert "No rows" not in page
        assert "Looked for among" not in page

    def test_look_for_what_was_dropped_a_stretch_at_a_time(self, served):
        """No index finds those rows: a page looks through so many, and the next one goes on where it ended."""
        for _ in range(5):
            served.street.says("bob", "balance")
        dropped = "SELECT min(id) FROM outbox WHERE phrase = 'balance'"
        change(served, f"UPDATE outbox SET state = 'dropped' WHERE id = ({dropped})")
        queues, read = office_of(served).queues, served.street.town.bot.database.read
        seen: list[object] = []
        before: int | None = 2**63 - 1
        pages = 0
        while before is not None:
            here = before
            far = read(lambda s: queues.outbox_far(s, "dropped", before=here, far=2))  # noqa: B023
            seen += [row["id"] for row in far.rows]
            assert far.is_cut == (far.older is not None)
            before, pages = far.older, pages + 1
        assert seen == [served.street.count("SELECT id FROM outbox WHERE state = 'dropped'")]
        assert pages == served.street.count("SELECT count(*) FROM outbox") // 2 + 1


class TestTheLedger:
    def test_is_looked_through_from_accounts_to_transfers(self, paid):
        admin = an_admin(paid)
        page = admin.gets("/admin/ledger").text
        rows = [row for row in page.split("<tr>") if f'href="/admin/members/{bob(paid)}"' in row]
        (account,) = re.findall(r'href="/admin/ledger/(\d+)"', rows[0])
        page = admin.gets(f"/admin/ledger/{account}").text
        assert "90.00 €" in page
        assert "−10.00 €" in page
        assert "+100.00 €" in page

    def test_is_looked_through_whole_and_added_up(self, paid):
        admin = an_admin(paid)
        page = words(admin.gets("/admin/ledger/transfers").text)
        assert "10.00 €" in page
        totals = words(admin.gets("/admin/ledger/totals").text)
        assert "Owed to people 120.00 €" in totals
        assert "All are drained" in totals
        assert re.search(r"wallet \d+ ", totals)

    def test_hands_out_a_statement_whose_days_were_left_empty(self, paid):
        """As a browser sends the form."""
        wallet = paid.street.count(f"SELECT wallet_id FROM people WHERE user_id = {bob(paid)}")
        answer = an_admin(paid).gets(f"/admin/ledger/{wallet}/statement?since=&until=&form=csv")
        assert answer.status_code == 200

    @pytest.mark.parametrize(("form", "holds"), [("csv", "10.00"), ("text", "10.00"), ("camt053", "<Amt")])
    def test_hands_out_statements(self, paid, form, holds):
        wallet = paid.street.count(f"SELECT wallet_id FROM people WHERE user_id = {bob(paid)}")
        answer = an_admin(paid).gets(
            f"/admin/ledger/{wallet}/statement?form={form}&since=2026-11-23&until=2026-11-23"
        )
        assert answer.status_code == 200
        assert holds in answer.text
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["x-content-type-options"] == "nosniff"

    def test_counts_the_first_and_the_last_day_whole(self, paid):
        wallet = paid.street.count(f"SELECT wallet_id FROM people WHERE user_id = {bob(paid)}")
        admin = an_admin(paid)

        def entries(days: str) -> int:
            answer = admin.gets(f"/admin/ledger/{wallet}/statement?form=csv&{days}")
            return len(list(csv.reader(io.StringIO(answer.text))))

        whole = entries("since=2026-11-23&until=2026-11-23")
        assert whole == entries("") > entries("since=2026-11-24")


class TestTheAuditLog:
    def test_is_filtered_by_what_was_done_to(self, served):
        admin = an_admin(served, "ben", Role.SUPPORT)
        admin.posts(f"/admin/members/{bob(served)}/tier", tier="merchant", reason="the register was seen")
        page = admin.gets("/admin/audit").text
        assert "the register was seen" in page
        assert "admin.add" in page
        page = admin.gets(f"/admin/audit?subject=person%20{bob(served)}").text
        assert "the register was seen" in page
        assert "admin.add" not in page

    def test_has_who_opened_what_about_one_person(self, paid):
        served, street = paid, paid.street
        admin = an_admin(served, "ben", Role.READ)
        reference, inbox = street.reference("bob"), street.count("SELECT max(id) FROM inbox")
        outbox = street.count("SELECT max(id) FROM outbox")
        wallet = street.count(f"SELECT wallet_id FROM people WHERE user_id = {bob(served)}")
        paths = (f"members/{bob(served)}", f"payments/{reference}", f"inbox/{inbox}", f"outbox/{outbox}", f"ledger/{wallet}",
                 f"payments?person={bob(served)}", "members?find=bob", f"members/{bob(served)}")  # fmt: skip
        for path in paths:
            assert admin.gets(f"/admin/{path}").status_code == 200
        looks = [
            (each.by, each.channel, each.action, each.subject)
            for each in street.town.bot.database.read(
                lambda session: office_of(served).log.newest(session, looks=True)
            )
            if each.action in LOOKS
        ]
        assert looks == [
            ("ben", "page", f"{what.split()[0].replace('person', 'member')}.look", what)
            for what in (
                f"outbox {outbox}",
                f"inbox {inbox}",
                f"payment {reference}",
                f"person {bob(served)}",
            )
        ]
        assert "member.look" not in admin.gets("/admin/audit").text
        with_looks = admin.gets("/admin/audit?looks=yes").text
        assert with_looks.count("member.look") == 1
        assert "Leave out looks" in with_looks

    def test_is_read_page_by_page(self, served):
        admin = an_admin(served, "ben", Role.SUPPORT)
        for number in range(55):
            admin.posts(
                f"/admin/members/{bob(served)}/tier", tier="merchant", reason=f"why no. {number:02d}!"
            )
            if number % 20 == 19:
                served.street.passes(minutes=1)  # a minute's posts are counted
        seen, path = [], "/admin/audit"
        while path:
            page = admin.gets(path).text
            seen += re.findall(r"why no\. (\d\d)!", page)
            links = re.findall(r'rel="next" href="([^"]+)"', page)
            path = links[0].replace("&amp;", "&") if links else ""
        assert sorted(seen) == [f"{number:02d}" for number in range(55)]


class TestAdmins:
    def test_are_added_and_the_word_is_shown_once(self, served):
        owner = an_admin(served)
        page = owner.posts("/admin/admins", name="ben", role="support", reason=WHY).text
        (word,) = re.findall(r'id="word">(\w+)<', page)
        assert word not in owner.gets("/admin/admins").text
        assert Admin(served, "ben").sets_up(word).is_in
        assert actions(served)[0][:4] == ("admin.add", "admin ben", "anna", "page")

    def test_are_given_another_role_and_ended(self, served):
        owner, ben = an_admin(served), an_admin(served, "ben", Role.SUPPORT)
        assert owner.posts("/admin/admins/ben/role", role="read", reason=WHY).status_code == 200
        assert ben.posts(f"/admin/members/{bob(served)}/unlock", reason=WHY).status_code == 403
        owner.posts("/admin/admins/ben/end", reason=WHY)
        assert not ben.is_in

    @pytest.mark.parametrize(("name", "role"), [("Ben!", "read"), ("ben", "king"), ("a" * 41, "read")])
    def test_are_refused_a_name_or_role_there_is_not(self, served_on_sqlite, name, role):
        owner = an_admin(served_on_sqlite)
        assert owner.posts("/admin/admins", name=name, role=role, reason=WHY).status_code == 400
        assert (
            len(served_on_sqlite.street.town.bot.database.read(office_of(served_on_sqlite).admins.all)) == 2
        )


class TestARestoredBook:
    @pytest.fixture
    def restored(self, served):
        """bob has paid alice; the book says that it was restored in two minutes: who signs in until then has X read."""
        served.street.tweets("bob", "@smoney send 10€ @alice")
        served.street.answers("bob")
        change(served, RESTORED, at=microseconds_of(served.street.world.now() + timedelta(minutes=2)))
        return served

    def test_goes_on_at_an_owners_word_once_x_was_read(self, restored):
        owner = an_admin(restored)
        assert "Wait until X was read to its end" in owner.gets("/admin/restored").text
        early = owner.posts("/admin/restored/done", reason=WHY)
        assert (early.status_code, "were not read to their end" in early.text) == (400, True)
        restored.street.passes(minutes=2)
        assert "Rows that wait 0" in words(owner.gets("/admin/restored").text)
        assert "there is nothing to do" in owner.posts("/admin/restored/done", reason=WHY).text
        assert actions(restored)[0] == ("book.reconcile", "book", "anna", "page", WHY)
        assert "This book was restored" not in owner.gets("/admin").text
        again = owner.posts("/admin/restored/done", reason=WHY)
        assert (again.status_code, "was reconciled before" in again.text) == (400, True)

    def test_stays_paused_where_it_does_not_hold(self, restored, monkeypatch):
        restored.street.town.settle()
        owner = an_admin(restored)
        report = replace(
            verify(restored.street.town.bot.database, restored.street.town.settings), findings=("Broken.",)
        )
        monkeypatch.setattr("bot.web.admin.restored.verify", lambda *_: report)
        answer = owner.posts("/admin/restored/done", reason=WHY)
        assert (answer.status_code, "does not hold: Broken." in answer.text) == (400, True)
        assert "This book was restored" in owner.gets("/admin").text

    def test_says_so_where_x_cannot_be_asked(self, restored):
        owner = an_admin(restored)
        restored.street.world.plan_fault(
            FaultKind.REFUSE, Operation.MESSAGES, status=503, title="Over capacity"
        )
        answer = owner.gets("/admin/restored")
        assert (answer.status_code, "cannot be asked now" in answer.text) == (400, True)

    def test_is_let_go_on_by_nobody_below_an_owner(self, restored):
        restored.street.town.settle()
        tom = an_admin(restored, "tom", Role.TREASURER)
        assert "/restored/done" not in tom.gets("/admin/restored").text
        assert tom.posts("/admin/restored/done", reason=WHY).status_code == 403


class TestSwitches:
    def test_pause_and_let_go_on(self, served):
        owner = an_admin(served)
        assert "Payments are paused" in owner.posts("/admin/switches/payments/pause", reason=WHY).text
        assert "Payments are paused" in owner.gets("/admin").text
        served.street.tweets("bob", "@smoney send 10€ @alice")
        assert served.street.payments == 0
        again = owner.posts("/admin/switches/payments/pause", reason=WHY)
        assert "paused already" in again.text
        assert "Payments go on" in owner.posts("/admin/switches/payments/resume", reason=WHY).text

    @pytest.mark.parametrize(
        ("begin", "end"), [("sends/pause", "sends/resume"), ("wind-down/begin", "wind-down/end")]
    )
    def test_halt_sends_and_the_service(self, served_on_sqlite, begin, end):
        owner = an_admin(served_on_sqlite)
        owner.posts(f"/admin/switches/{begin}", reason=WHY)
        assert served_on_sqlite.street.count("SELECT count(*) FROM switches") == 1
        owner.posts(f"/admin/switches/{end}", reason=WHY)
        assert served_on_sqlite.street.count("SELECT count(*) FROM switches") == 0
