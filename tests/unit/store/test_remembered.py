"""What a work has read once is not read again, until it is changed or taken back."""

from itertools import count

import pytest
from sqlalchemy import create_engine, text
from sqlmodel import Session

from bot.store.remembered import forget, once


@pytest.fixture
def session():
    engine = create_engine("sqlite://")
    with Session(engine) as opened:
        opened.connection().execute(text("SELECT 1"))
        yield opened
    engine.dispose()


@pytest.mark.parametrize(
    "change",
    [lambda session: forget(session, "key"), Session.rollback, Session.commit],
    ids=["forgotten", "taken back", "committed"],
)
def test_is_read_again_once_it_may_have_changed(session, change):
    reads = count()
    assert [once(session, "key", lambda: next(reads)) for _ in range(3)] == [0, 0, 0]
    assert once(session, "another key", lambda: "else") == "else"
    change(session)
    assert once(session, "key", lambda: next(reads)) == 1


def test_is_of_one_session_only(session):
    once(session, "key", lambda: 1)
    with Session(session.get_bind()) as other:
        assert once(other, "key", lambda: 2) == 2
