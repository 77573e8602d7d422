"""How admins come in to the page: by an invite once, then by name, password and code; what is wrong is told in one way."""

import time

import pytest
from sqlalchemy import text
from sqlmodel import select

from bot.admin.acts import Role
from bot.store.admin_tables import AdminRow
from bot.web.admin import entry
from bot.web.admin.entry import ANSWERS_AFTER_SECONDS
from tests.integration.web.admins import PASSWORD, ROOT, Admin, an_admin, entry_of, invite, office_of

WRONG = "That was not right."


def database(served):
    return served.street.town.bot.database


def stored(served) -> str:
    """All that the admins' tables hold, as one text."""

    def work(session):
        return [
            value
            for table in ("admins", "admin_sessions")
            for row in session.connection().execute(text(f"SELECT * FROM {table}"))
            for value in row
        ]

    values = database(served).read(work)
    return " ".join(
        bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)
        for value in values
    )


def stranger_to(admin: Admin) -> Admin:
    """The same admin at a browser they never signed in on; or whoever stole password and app."""
    stranger = Admin(admin.served, admin.name)
    stranger.secret = admin.secret
    return stranger


class TestAnInvite:
    def test_sets_password_and_app_once_and_lets_in(self, served):
        word = invite(served, "anna", Role.OWNER)
        admin = Admin(served).sets_up(word)
        assert admin.is_in
        other = Admin(served)
        other.gets("/admin/welcome")
        assert other.posts("/admin/welcome", word=word).status_code == 403
        assert other.posts("/admin/welcome/done", word=word, password=PASSWORD, code="1").status_code == 403

    def test_ends_after_a_day(self, served):
        word = invite(served, "anna", Role.OWNER)
        served.street.passes(hours=25)
        admin = Admin(served)
        admin.gets("/admin/welcome")
        assert "not good" in admin.posts("/admin/welcome", word=word).text

    @pytest.mark.parametrize("word", ["", "0" * 32, "a word of nobody's", "\x00"])
    def test_that_was_never_given_is_of_no_use(self, served, word):
        invite(served, "anna", Role.OWNER)
        admin = Admin(served)
        admin.gets("/admin/welcome")
        assert admin.posts("/admin/welcome", word=word).status_code == 403

    @pytest.mark.parametrize("password", ["short", "elevensigns", "a" * 40, "x" * 300])
    def test_takes_no_weak_password(self, served_on_sqlite, password):
        word = invite(served_on_sqlite, "anna", Role.OWNER)
        admin = Admin(served_on_sqlite)
        admin.begins(word)
        answer = admin.posts("/admin/welcome/done", word=word, password=password, code=admin.code())
        assert "at least 12" in answer.text
        assert not admin.is_in

    def test_needs_a_code_of_the_app_that_was_shown(self, served_on_sqlite):
        word = invite(served_on_sqlite, "anna", Role.OWNER)
        admin = Admin(served_on_sqlite)
        admin.begins(word)
        answer = admin.posts("/admin/welcome/done", word=word, password=PASSWORD, code="000000")
        assert "code was not right" in answer.text
        assert admin.secret not in answer.text
        assert not admin.is_in

    def test_lets_nobody_sign_in_before_it_is_finished(self, served_on_sqlite):
        word = invite(served_on_sqlite, "anna", Role.OWNER)
        admin = Admin(served_on_sqlite)
        admin.begins(word)
        assert WRONG in admin.signs_in().text


class TestSigningIn:
    def test_takes_name_password_and_code(self, served):
        admin = an_admin(served)
        admin.posts("/admin/out")
        assert not admin.is_in
        assert admin.signs_in(name=" Anna ").status_code == 200
        assert admin.is_in

    def test_tells_of_nothing_what_was_wrong(self, served):
        admin = an_admin(served)
        admin.posts("/admin/out")
        tries = [
            admin.signs_in(password="wrong horse battery"),
            admin.signs_in(code="000000"),
            admin.signs_in(code="no code"),
            admin.signs_in(name="nobody"),
            admin.signs_in(name="\x00'; --"),
        ]
        assert {answer.status_code for answer in tries} == {403}
        pages = {answer.text.partition("<main")[2].replace(admin.visitor.token, "") for answer in tries}
        assert len(pages) == 1
        assert WRONG in pages.pop()

    def test_takes_as_long_for_a_name_nobody_has(self, served_on_sqlite, monkeypatch):
        """Nothing wrong is answered before half a second has passed, which is longer than either way takes."""
        monkeypatch.setattr(entry, "ANSWERS_AFTER_SECONDS", ANSWERS_AFTER_SECONDS)
        admin = an_admin(served_on_sqlite)
        for name in ("anna", "nobody"):
            code = admin.code()
            admin.gets("/admin/in")
            began = time.monotonic()
            admin.posts("/admin/in", name=name, password="wrong horse battery", code=code)
            assert time.monotonic() - began >= 0.5

    def test_counts_no_code_twice(self, served):
        admin = an_admin(served)
        code = admin.code()
        admin.posts("/admin/out")
        assert admin.signs_in(code=code).status_code == 200
        admin.posts("/admin/out")
        assert WRONG in admin.signs_in(code=code).text

    def test_is_locked_after_five_wrong_tries_longer_each_time(self, served):
        stranger = stranger_to(an_admin(served))
        for _ in range(5):
            stranger.signs_in(password="wrong horse battery")
        assert WRONG in stranger.signs_in().text
        served.street.passes(minutes=16)
        for _ in range(5):
            stranger.signs_in(code="000000")
        served.street.passes(minutes=16)
        assert WRONG in stranger.signs_in().text
        served.street.passes(minutes=16)
        assert stranger.signs_in().status_code == 200

    def test_is_not_locked_by_a_strangers_tries_on_a_browser_that_was_in_before(self, served):
        admin = an_admin(served)
        stranger = stranger_to(admin)
        admin.posts("/admin/out")
        for _ in range(5):
            stranger.signs_in(password="wrong horse battery")
        assert WRONG in stranger.signs_in().text
        assert admin.signs_in(password="wrong horse battery").status_code == 403
        assert admin.signs_in().status_code == 200

    def test_opens_nothing_by_a_browsers_mark_alone(self, served_on_sqlite):
        admin = an_admin(served_on_sqlite)
        thief = stranger_to(admin)
        thief.visitor.session.cookies["smoney_admin_known"] = admin.visitor.session.cookies[
            "smoney_admin_known"
        ]
        assert not thief.is_in
        assert WRONG in thief.signs_in(code="000000").text

    @pytest.mark.parametrize(
        "mark", ["", ".", "k.1.2", "é.٣.x", "demo.99999999999999.00", "demo.253402300800.0", "\x00" * 300]
    )
    def test_takes_no_mark_made_by_hand(self, served_on_sqlite, mark):
        an_admin(served_on_sqlite)
        entry = entry_of(served_on_sqlite)
        row = database(served_on_sqlite).read(
            lambda session: session.exec(select(AdminRow).where(AdminRow.name == "anna")).one()
        )
        assert not entry._is_marked(row, mark)

    def test_knows_a_browser_no_more_after_half_a_year(self, served_on_sqlite):
        served = served_on_sqlite
        admin = an_admin(served)
        served.street.passes(days=181)
        stranger = stranger_to(admin)
        for _ in range(5):
            stranger.signs_in(password="wrong horse battery")
        assert WRONG in admin.signs_in().text

    def test_keeps_neither_password_nor_secret_nor_code_as_they_are(self, served):
        admin = an_admin(served)
        secret = admin.visitor.session.cookies["smoney_admin"]
        kept = stored(served)
        for hidden in (PASSWORD, admin.secret, secret):
            assert hidden not in kept
        assert "$argon2id$" in kept

    def test_writes_none_of_it_into_a_log(self, served_on_sqlite, capfd):
        word = invite(served_on_sqlite, "anna", Role.OWNER)
        admin = Admin(served_on_sqlite).sets_up(word)
        admin.posts("/admin/out")
        code = admin.code()
        admin.signs_in(password="wrong horse battery", code=code)
        admin.signs_in(code=code)
        logged = "".join(capfd.readouterr())
        assert "/admin/in" in logged
        secret = admin.visitor.session.cookies["smoney_admin"]
        for hidden in (PASSWORD, "wrong horse battery", word, code, admin.secret, secret, "anna"):
            assert hidden not in logged

    def test_is_refused_without_the_forms_token(self, served_on_sqlite):
        admin = an_admin(served_on_sqlite)
        admin.posts("/admin/out")
        given = {"name": "anna", "password": PASSWORD, "code": admin.code()}
        assert admin.posts("/admin/in", token="0" * 64, **given).status_code == 403
        assert not admin.is_in


class TestBeingIn:
    def test_ends_after_half_an_hour_of_nothing_whatever_the_page_asks_by_itself(self, served):
        admin = an_admin(served)
        for _ in range(4):
            served.street.passes(minutes=8)
            polled = admin.gets("/admin/live", **{"HX-Request": "true"})
        assert polled.status_code == 401
        assert polled.headers["hx-redirect"] == "/admin/in"
        assert not admin.is_in

    def test_lasts_twelve_hours_at_most(self, served):
        admin = an_admin(served)
        for _ in range(35):
            served.street.passes(minutes=20)
            assert admin.is_in
        served.street.passes(minutes=20)
        assert not admin.is_in

    def test_ends_with_the_admin(self, served):
        admin = an_admin(served)
        admins = office_of(served).admins
        database(served).write(lambda session: admins.end(session, ROOT, "anna", reason="left"))
        assert not admin.is_in
        assert WRONG in admin.signs_in().text
        left = "SELECT count(*) FROM admins WHERE password_hash IS NOT NULL OR secret_sealed IS NOT NULL"
        assert served.street.count(left) == 0

    def test_ends_with_a_new_invite_and_so_do_password_and_app(self, served):
        admin = an_admin(served)
        admins = office_of(served).admins
        word = database(served).write(lambda session: admins.invite(session, ROOT, "anna", reason="lost it"))
        assert not admin.is_in
        assert WRONG in admin.signs_in().text
        assert Admin(served).sets_up(word).is_in

    def test_ends_in_every_browser_that_kept_the_cookie(self, served_on_sqlite):
        admin = an_admin(served_on_sqlite)
        kept = dict(admin.visitor.session.cookies)
        admin.posts("/admin/out")
        admin.visitor.session.cookies.update(kept)
        assert not admin.is_in

    def test_is_known_by_a_cookie_out_of_a_scripts_reach(self, served_on_sqlite):
        admin = an_admin(served_on_sqlite)
        (cookie,) = [each for each in admin.visitor.session.cookies if each.name == "smoney_admin"]
        assert cookie.has_nonstandard_attr("HttpOnly")
        assert cookie.get_nonstandard_attr("SameSite") == "strict"

    def test_sees_the_role_as_it_is_now(self, served_on_sqlite):
        admin = an_admin(served_on_sqlite)
        assert "owner" in admin.gets("/admin").text
        admins = office_of(served_on_sqlite).admins
        database(served_on_sqlite).write(
            lambda session: admins.set_role(session, ROOT, "anna", Role.READ, reason="a change")
        )
        assert "owner ·" not in admin.gets("/admin").text

    def test_counts_a_password_that_was_changed_meanwhile_as_wrong(self, served_on_sqlite):
        """It is held against the row again in the transaction that counts."""
        admin = an_admin(served_on_sqlite)
        entry = entry_of(served_on_sqlite)
        code, read, write = admin.code(), database(served_on_sqlite).read, database(served_on_sqlite).write
        kept = read(lambda session: entry._password_of(session, "anna"))
        another = text("UPDATE admins SET password_hash = 'another' WHERE name = 'anna'")
        write(lambda session: session.connection().execute(another) and None)
        assert write(lambda session: entry._sign_in(session, "anna", kept, code)) is None
