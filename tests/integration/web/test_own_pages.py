"""People's own pages: signing in by a link from a message, the second factor, questions answered there, devices."""

import re

import pyotp
import pytest
from sqlalchemy import text

from bot.web.forms import FIELD
from tests.integration.web.conftest import Served, Visitor, serving_town

LINK = re.compile(r"http://127\.0\.0\.1:\d+(/me/link\?t=[\w-]+)")
QUESTION = re.compile(r'action="(/me/questions/\d+)/pay"')
ANSWER = re.compile(r'name="answer" value="([^"]+)"')


def link_of(served: Served, username: str = "bob") -> str:
    served.street.passes(minutes=2)
    served.street.says(username, "devices")
    return str(LINK.findall("\n".join(served.street.heard(username)))[-1])


def token_of(link: str) -> str:
    return link.partition("?t=")[2]


def signed_in(served: Served, username: str = "bob", proof: str = "") -> Visitor:
    visitor, link = served.visitor(), link_of(served, username)
    visitor.gets(link)
    answer = visitor.posts("/me/link", t=token_of(link), proof=proof)
    assert answer.status_code == 200, answer.text
    return visitor


def found(pattern: "re.Pattern[str]", page: str) -> str:
    (first, *_) = pattern.findall(page)
    return str(first)


class App:
    """bob's authenticator app."""

    def __init__(self, served: Served, visitor: Visitor) -> None:
        self.served = served
        visitor.gets("/me/factor")
        page = visitor.posts("/me/factor/begin").text
        self.secret = re.search(r'id="secret">(\w+)<', page)[1]  # type: ignore[index]
        self.shown = visitor.posts("/me/factor/verify", code=self.code())
        self.recovery = re.findall(r"<li>(\w{4}-\w{4}-\w{4})</li>", self.shown.text)

    def code(self) -> str:
        return pyotp.TOTP(self.secret).at(self.served.street.world.now())

    def next(self) -> str:
        self.served.street.passes(minutes=1)
        return self.code()


class TestALink:
    def test_is_sent_in_private_only_and_shows_a_button_that_a_preview_does_not_press(self, served, visitor):
        link = link_of(served)
        for _ in range(3):
            assert "Sign in as @bob" in visitor.gets(link).text
        assert "Balance" not in visitor.gets("/me").text
        assert served.street.count("SELECT count(*) FROM devices") == 0
        assert served.street.replies() == []

    def test_signs_in_once(self, served, visitor):
        link = link_of(served)
        visitor.gets(link)
        assert "100.00" in visitor.posts("/me/link", t=token_of(link)).text
        other = served.visitor()
        assert other.gets(link).status_code == 410
        other.gets("/status")
        other.gets("/me")
        assert served.street.count("SELECT count(*) FROM devices") == 1

    def test_ends_after_a_quarter_of_an_hour(self, served, visitor):
        link = link_of(served)
        served.street.passes(minutes=16)
        assert visitor.gets(link).status_code == 410

    def test_counts_no_more_once_another_was_asked_for(self, served, visitor):
        first, second = link_of(served), link_of(served)
        assert first != second
        assert visitor.gets(first).status_code == 410
        assert visitor.gets(second).status_code == 200

    def test_is_kept_as_a_hash(self, served):
        token = token_of(link_of(served))
        read = served.street.town.bot.database.read
        rows = read(lambda session: session.connection().execute(text("SELECT * FROM device_links")).all())
        assert len(rows) == 1
        assert all(
            token not in str(value) and token.encode() not in bytes(str(value), "utf-8") for value in rows[0]
        )
        assert [len(value) for value in rows[0] if isinstance(value, bytes | memoryview)] == [32]

    def test_is_not_sent_twice_in_a_minute(self, served):
        served.street.says("bob", "devices")
        served.street.says("bob", "my devices")
        assert len(LINK.findall("\n".join(served.street.heard("bob")))) == 1

    def test_is_offered_in_a_message_when_asked_for_in_public(self, served):
        served.street.tweets("bob", "@smoney devices")
        assert served.street.replies() == []
        assert LINK.search(served.street.heard("bob")[-1])

    def test_of_somebody_else_is_of_no_use_to_guess(self, served, visitor):
        visitor.gets("/me")
        visitor.gets("/me/link?t=AAAAAAAAAAAAAAAAAAAAAA")
        assert visitor.posts("/me/link", t="AAAAAAAAAAAAAAAAAAAAAA").status_code in {403, 410}

    def test_tells_the_person_of_the_new_device(self, served):
        signed_in(served)
        served.street.town.settle()
        assert "new device" in served.street.heard("bob")[-1]


class TestForms:
    def test_are_refused_without_their_token_on_every_route_that_acts(self, served):
        """Tried on every POST route there is, by somebody who is signed in."""
        visitor = signed_in(served)
        paths = ["/me/link", "/me/link/lost", "/me/again", "/me/factor/begin", "/me/factor/verify",
                 "/me/factor/remove", "/me/factor/keep", "/me/questions/7/pay", "/me/questions/7/refuse",
                 "/me/devices/7/out", "/me/language", "/me/freeze", "/me/thaw", "/me/unlock", "/me/erase", "/me/data", "/me/trust/7", "/me/out"]  # fmt: skip
        for path in paths:
            for token in ("", "0" * 64):
                assert visitor.posts(path, token=token, language="fr").status_code == 403, path
        assert "100.00" in visitor.gets("/me").text

    def test_of_one_browser_are_of_no_use_in_another(self, served):
        mine, other = signed_in(served), served.visitor()
        other.gets("/status")
        other.gets("/me/link?t=x")
        page = mine.gets("/me").text
        assert FIELD in page
        stolen = other.session.post(
            other.address + "/me/link", data={FIELD: mine.token, "t": "x"}, timeout=20
        )
        assert stolen.status_code == 403

    def test_from_another_site_are_refused_though_they_have_a_token(self, served):
        visitor = signed_in(served)
        visitor.gets("/me")
        answer = visitor.session.post(
            visitor.address + "/me/language",
            data={FIELD: visitor.token, "language": "fr"},
            headers={"Sec-Fetch-Site": "cross-site"},
            timeout=20,
        )
        assert answer.status_code == 403


class TestASecondFactor:
    def test_counts_after_its_first_code_and_shows_recovery_codes_once(self, served):
        visitor = signed_in(served)
        app = App(served, visitor)
        assert len(app.recovery) == 10
        assert app.recovery[0] not in visitor.gets("/me/factor").text
        assert app.secret not in visitor.gets("/me/factor").text

    def test_refuses_a_wrong_first_code(self, served):
        visitor = signed_in(served)
        visitor.gets("/me/factor")
        visitor.posts("/me/factor/begin")
        assert visitor.posts("/me/factor/verify", code="000000").status_code == 403

    def test_is_asked_for_on_a_new_device_once_it_is_active(self, served):
        app = App(served, signed_in(served))
        served.street.passes(hours=49)
        link, visitor = link_of(served), served.visitor()
        assert "authenticator app" in visitor.gets(link).text
        assert visitor.posts("/me/link", t=token_of(link), proof="").status_code == 403
        assert visitor.posts("/me/link", t=token_of(link), proof="000000").status_code == 403
        assert "100.00" in visitor.posts("/me/link", t=token_of(link), proof=app.code()).text

    def test_lost_with_its_recovery_codes_is_removed_in_48_hours_by_the_link_alone(self, served):
        App(served, signed_in(served))
        served.street.passes(hours=49)
        link, visitor = link_of(served), served.visitor()
        visitor.gets(link)
        assert "removal has begun" in visitor.posts("/me/link/lost", t=token_of(link)).text
        assert "authenticator app" in served.visitor().gets(link_of(served)).text
        served.street.passes(hours=49)
        assert "authenticator app" not in served.visitor().gets(link_of(served)).text

    def test_is_asked_for_again_after_a_while(self, served):
        visitor = signed_in(served)
        app = App(served, visitor)
        served.street.passes(hours=49)
        page = visitor.gets("/me")
        assert page.status_code == 401
        assert "100.00" not in page.text
        assert "100.00" in visitor.posts("/me/again", proof=app.code()).text

    def test_without_one_a_device_needs_a_new_link_after_a_while(self, served):
        visitor = signed_in(served)
        served.street.passes(minutes=31)
        page = visitor.gets("/me")
        assert page.status_code == 401
        assert "DEVICES" in page.text
        assert visitor.posts("/me/again", proof="").status_code == 403


class TestAQuestion:
    @pytest.fixture
    def asked(self, served) -> tuple[Served, Visitor, App, str]:
        visitor = signed_in(served)
        app = App(served, visitor)
        served.street.passes(minutes=1)
        served.street.tweets("bob", "@smoney send 10€ @alice for <b>pizza</b>")
        return served, visitor, app, visitor.gets("/me").text

    def test_shows_the_facts_of_the_message_and_no_markup_of_strangers(self, asked):
        served, _, _, page = asked
        message = served.street.heard("bob")[-1]
        for line in message.partition("\n\n")[0].splitlines():
            assert line.split("<")[0].strip() in page
        assert "<b>pizza" not in page
        assert served.street.code("bob").split()[1] not in re.sub(r"<[^>]*>", "", page)

    def test_is_paid_with_a_code_of_the_app(self, asked):
        served, visitor, app, page = asked
        answer = visitor.posts(found(QUESTION, page) + "/pay", answer=found(ANSWER, page), code=app.code())
        assert "Paid. Ref P-" in answer.text
        assert served.street.has("alice") == 10_00

    def test_is_not_paid_with_a_wrong_code_or_with_what_was_shown_before_an_edit(self, asked):
        served, visitor, app, page = asked
        path, shown = found(QUESTION, page) + "/pay", found(ANSWER, page)
        assert visitor.posts(path, answer=shown, code="000000").status_code == 403
        assert "no longer open" in visitor.posts(path, answer="K 000000", code=app.code()).text
        assert served.street.has("alice") == 0

    def test_of_one_person_cannot_be_answered_by_another(self, asked):
        served, _, _, page = asked
        carol = signed_in(served, "carol")
        app = App(served, carol)
        served.street.passes(minutes=1)
        path, shown = found(QUESTION, page), found(ANSWER, page)
        assert "no longer open" in carol.posts(path + "/pay", answer=shown, code=app.code()).text
        assert "no longer open" in carol.posts(path + "/refuse").text
        assert served.street.has("alice") == 0

    def test_is_refused_with_a_button(self, asked):
        served, visitor, _, page = asked
        assert "Nothing was paid" in visitor.posts(found(QUESTION, page) + "/refuse").text
        served.street.town.settle()
        assert served.street.count("SELECT count(*) FROM intents WHERE state = 'cancelled'") == 1

    def test_without_a_second_factor_can_only_be_refused_there(self, served):
        visitor = signed_in(served)
        served.street.tweets("bob", "@smoney send 10€ @alice")
        page = visitor.gets("/me").text
        assert "you need a second factor" in page
        assert "/refuse" in page
        assert QUESTION.search(page) is None


class TestDevices:
    def test_are_listed_and_signed_out_one_by_one(self, served):
        first, second = signed_in(served), signed_in(served)
        page = first.gets("/me").text
        others = re.findall(r"/me/devices/(\d+)/out", page)
        assert len(others) == 2
        for device in others:  # the newest first: the one that signs the others out comes last
            first.posts(f"/me/devices/{device}/out")
        assert first.gets("/me").status_code == 401
        assert second.gets("/me").status_code == 401

    def test_of_others_are_out_of_reach(self, served):
        bob, carol = signed_in(served), signed_in(served, "carol")
        (device,) = re.findall(r"/me/devices/(\d+)/out", bob.gets("/me").text)
        carol.gets("/me")
        carol.posts(f"/me/devices/{device}/out")
        assert bob.gets("/me").status_code == 200

    def test_sign_out_for_good(self, served):
        visitor = signed_in(served)
        visitor.gets("/me")
        kept = dict(visitor.session.cookies)
        visitor.posts("/me/out")
        visitor.session.cookies.update(kept)
        assert visitor.gets("/me").status_code == 401


class TestTheBrake:
    def test_freezes_at_once_and_is_let_go_of_by_message_where_there_is_no_factor(self, served):
        visitor = signed_in(served)
        visitor.gets("/me")
        page = visitor.posts("/me/freeze").text
        assert "nothing can be paid" in page
        assert "send THAW" in page
        served.street.tweets("bob", "@smoney send 10€ @alice")
        assert served.street.has("alice") == 0
        assert visitor.posts("/me/thaw", code="000000").status_code == 403

    def test_is_let_go_of_with_the_active_factor_only(self, served):
        visitor = signed_in(served)
        app = App(served, visitor)
        served.street.passes(hours=49)
        visitor.gets("/me")
        visitor.posts("/me/again", proof=app.code())
        visitor.posts("/me/freeze")
        assert visitor.posts("/me/thaw", code="000000").status_code == 403
        assert "nothing can be paid" in visitor.gets("/me").text
        assert "Freeze now" in visitor.posts("/me/thaw", code=app.next()).text


class TestErasing:
    def test_needs_a_code_of_the_active_factor_and_an_empty_wallet(self, served):
        visitor = signed_in(served)
        assert "send ERASE ME" in visitor.gets("/me").text
        app = App(served, visitor)
        served.street.passes(hours=49)
        visitor.gets("/me")
        visitor.posts("/me/again", proof=app.code())
        assert "Nothing was erased" in visitor.posts("/me/erase", code=app.next()).text
        served.street.tweets("bob", "@smoney send 100€ @alice")
        served.street.answers("bob")
        served.street.says("bob", "erase me")
        assert "a message is not enough" in served.street.heard("bob")[-1]
        assert visitor.posts("/me/erase", code="000000").status_code == 403
        visitor.gets("/me")
        visitor.posts("/me/erase", code=app.next())
        assert visitor.gets("/me").status_code == 401
        served.street.passes(minutes=1)
        assert "I no longer know who you are" in served.street.heard("bob")[-1]
        assert served.street.count("SELECT count(*) FROM second_factors") == 0


class TestTheLanguage:
    def test_of_the_pages_is_the_persons_own_and_can_be_chosen(self, served):
        visitor = signed_in(served)
        visitor.gets("/me")
        page = visitor.posts("/me/language", language="fr").text
        assert "Enregistré" in page
        assert "Vous pouvez dépenser" in page
        visitor.gets("/me")
        assert visitor.posts("/me/language", language="xx").status_code == 404


class TestWhatAMessageIsNotEnoughFor:
    def test_is_paid_here_with_the_app(self, sqlite_url, tmp_path):
        chosen = {"allowance_per_payment_minor": 30_00, "allowance_per_day_minor": 100_00}
        with serving_town(sqlite_url, tmp_path, **chosen) as served:
            app = App(served, signed_in(served))
            served.street.passes(hours=48)
            link, visitor = link_of(served), served.visitor()
            visitor.gets(link)
            visitor.posts("/me/link", t=token_of(link), proof=app.code())
            served.street.tweets("bob", "@smoney send 40€ @alice")
            assert any("answer on my page" in words for words in served.street.heard("bob"))
            page = visitor.gets("/me").text
            path, answer = found(QUESTION, page), found(ANSWER, page)
            assert answer not in "".join(served.street.heard("bob"))
            assert "Paid" in visitor.posts(f"{path}/pay", answer=answer, code=app.next()).text
            assert served.street.has("alice") == 40_00


class TestAHandleThatWasAnother:
    def test_is_told_here_as_it_is_in_the_message(self, served_on_sqlite):
        served, world = served_on_sqlite, served_on_sqlite.street.world
        served.street.tweets("carol", "@smoney send 1€ @alice")
        world.rename(world.person("alice").id, "alice_moved")
        served.street.tweets("bob", "@smoney send 2€ @alice_moved")
        assert "was @alice until" in served.street.heard("bob")[-1]
        assert "@alice_moved was @alice until" in signed_in(served).gets("/me").text


class TestStopped:
    def test_nobody_sets_up_an_app_here_and_is_told_why(self, served_on_sqlite):
        served = served_on_sqlite
        visitor = signed_in(served)
        served.street.says("bob", "stop")
        visitor.gets("/me/factor")
        answer = visitor.posts("/me/factor/begin")
        assert answer.status_code == 403
        assert "said STOP" in answer.text
        assert 'id="secret"' not in answer.text


class TestTooManyWrongCodes:
    def test_are_unlocked_here_with_the_active_factor_as_the_message_says(self, served):
        app = App(served, signed_in(served))
        served.street.passes(hours=49)
        link, visitor = link_of(served), served.visitor()
        visitor.gets(link)
        page = visitor.posts("/me/link", t=token_of(link), proof=app.code()).text
        assert "/me/unlock" not in page
        served.street.tweets("bob", "@smoney send 1€ @alice")
        for _ in range(5):
            served.street.says("bob", served.street.wrong_code("bob"))
        assert "Too many wrong codes" in served.street.heard("bob")[-1]
        assert "/me/unlock" in visitor.gets("/me").text
        assert visitor.posts("/me/unlock", code="000000").status_code == 403
        visitor.gets("/me")
        assert "/me/unlock" not in visitor.posts("/me/unlock", code=app.next()).text
        served.street.says("bob", served.street.code("bob"))
        assert served.street.has("alice") == 1_00
