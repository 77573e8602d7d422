"""Seals and proofs on both engines."""

import copy
import json
import random
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from ledger import seals
from ledger.audit import verify
from ledger.book import Ledger
from ledger.clock import IdSource, first_id_at, instant_of
from ledger.database import Database
from ledger.errors import InvariantBroken, NotSealed, ProofInvalid, UnknownTransfer
from ledger.seals import check_proof, key_id_of, proof_text, seal
from tests.integration.ledger.world import World

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
OTHER = Ed25519PrivateKey.from_private_bytes(b"o" * 32)


@pytest.fixture
def world(database):
    world = World(database)
    world.alice, world.bob = world.wallet(1000), world.wallet()
    world.paid = world.pay(
        world.alice,
        world.bob,
        7,
        authorisation_id=3,
        effective_on=date(2026, 2, 1),
        metadata={"intent": 5, "rule": "x,y"[:1]},
    )
    world.held = world.hold(world.alice, world.bob, 9)
    yield world
    assert verify(database, public_keys=[KEY.public_key()]).findings == ()


def sealed(world):
    world.clock.move(minutes=3)
    return seal(world.database, key=KEY, clock=world.clock)


class TestSeal:
    def test_covers_what_is_old_enough_once(self, world):
        assert seal(world.database, key=KEY, clock=world.clock) == ()
        first = sealed(world)
        assert [one.transfers for one in first] == [3]
        assert sealed(world) == ()
        world.pay(world.alice, world.bob, 1)
        second = sealed(world)
        assert [one.transfers for one in second] == [1]
        assert (second[0].number, second[0].previous) == (2, first[0].hash)

    def test_ends_at_the_half_minute_that_is_ninety_seconds_old(self, world):
        boundary = instant_of((1_136_073_600 + 32 * 20_000_000) * 1_000_000)
        world.clock.now = boundary - timedelta(microseconds=1)
        newest = world.pay(world.alice, world.bob, 1)
        world.clock.now = boundary + timedelta(seconds=90, microseconds=-1)
        early = seal(world.database, key=KEY, clock=world.clock)
        assert [one.transfers for one in early] == [3]
        assert early[0].through_id == first_id_at(newest.booked_at)
        world.clock.move(microseconds=1)
        late = seal(world.database, key=KEY, clock=world.clock)
        assert [(one.transfers, one.through_id) for one in late] == [(1, first_id_at(boundary))]

    def test_is_of_bounded_size(self, world, monkeypatch):
        monkeypatch.setattr(seals, "MOST_IN_ONE_SEAL", 2)
        assert [one.transfers for one in sealed(world)] == [2, 1]
        for transfer_id in (world.paid.id, world.held.id):
            check_proof(world.read("proof", transfer_id), KEY.public_key())

    def test_has_an_end_behind_which_nothing_is_booked(self, world):
        sealed(world)
        late = Ledger(
            clock=world.clock, ids=IdSource(lambda: world.paid.booked_at, random.Random(5).randbytes)
        )
        with pytest.raises(InvariantBroken, match="behind_the_seal"):
            world.database.write(lambda session: late.transfer(session, world.new(world.alice, world.bob, 1)))

    def test_names_its_key(self, world):
        assert sealed(world)[0].key_id == key_id_of(KEY.public_key())
        assert len(key_id_of(KEY.public_key())) == 16

    def test_of_an_empty_book_is_none(self, database):
        assert seal(database, key=KEY, clock=World(database).clock) == ()

    def test_made_by_two_at_once_is_made_once(self, world, monkeypatch):
        world.clock.move(minutes=3)
        inner: list[Any] = []
        read = world.database.read

        def race(work):
            prepared = read(work)
            if not inner:
                inner.append(None)
                inner.extend(seal(world.database, key=KEY, clock=world.clock))
            return prepared

        monkeypatch.setattr(world.database, "read", race)
        assert seal(world.database, key=KEY, clock=world.clock) == ()
        assert len(inner) == 2


def test_seal_waits_for_a_transaction_that_is_still_running(postgresql_url):
    """A half minute is sealed only when it is ninety seconds older than whoever might still book in it."""
    with Database(postgresql_url) as database, psycopg.connect(postgresql_url) as slow:
        world = World(database)
        boundary = instant_of((1_136_073_600 + 32 * 20_000_000) * 1_000_000)
        world.clock.now = boundary - timedelta(microseconds=1)
        world.wallet(1000)
        world.clock.now = boundary + timedelta(seconds=90)
        slow.execute("SELECT pg_current_xact_id()")
        slow.execute("SELECT pg_sleep(0.6)")  # which is a second, rounded
        assert seal(database, key=KEY, clock=world.clock) == ()
        slow.rollback()
        assert [one.transfers for one in seal(database, key=KEY, clock=world.clock)] == [1]


class TestProof:
    def test_shows_the_transfer_with_the_public_key_alone(self, world):
        sealed(world)
        given = json.loads(proof_text(world.read("proof", world.paid.id)))
        shown = check_proof(given, KEY.public_key())
        assert (shown["id"], shown["amount_minor"], shown["code"]) == (world.paid.id, 7, "payment")
        assert shown["details"] == '{"intent":5,"rule":"x"}'

    def test_is_there_for_every_transfer(self, world):
        for number in range(20):
            world.pay(world.alice, world.bob, 1 + number)
        sealed(world)
        for one in world.read("history", world.alice, limit=50):
            check_proof(world.read("proof", one.id), KEY.public_key())

    def test_comes_with_the_seal_and_not_before(self, world):
        with pytest.raises(NotSealed):
            world.read("proof", world.paid.id)
        with pytest.raises(UnknownTransfer):
            world.read("proof", 5)

    def test_of_another_key_is_refused(self, world):
        sealed(world)
        with pytest.raises(ProofInvalid, match="not signed with this key"):
            check_proof(world.read("proof", world.paid.id), OTHER.public_key())

    def test_changed_anywhere_is_refused(self, world):
        """Every single value of the file, changed by a little, makes it invalid."""
        sealed(world)
        good = world.read("proof", world.paid.id)
        changed = 0
        for path in _leaves(good):
            bad = copy.deepcopy(good)
            holder = bad
            for step in path[:-1]:
                holder = holder[step]
            old = holder[path[-1]]
            holder[path[-1]] = (
                old + 1
                if isinstance(old, int)
                else (("1" if old[:1] != "1" else "2") + old[1:])
                if old
                else 1
            )
            with pytest.raises(ProofInvalid):
                check_proof(bad, KEY.public_key())
            changed += 1
        assert changed > 35

    @pytest.mark.parametrize(
        "bad",
        [{}, {"format": seals.PROOF_FORMAT}, {"format": seals.PROOF_FORMAT, "seal": 5}, {"format": "x"}],
    )
    def test_that_is_none_at_all_is_refused(self, bad):
        with pytest.raises(ProofInvalid):
            check_proof(bad, KEY.public_key())

    def test_with_a_column_that_no_transfer_has_is_refused(self, world):
        sealed(world)
        given = world.read("proof", world.paid.id)
        given["transfer"]["note"] = 1
        with pytest.raises(ProofInvalid):
            check_proof(given, KEY.public_key())

    @pytest.mark.parametrize(
        ("name", "value"),
        [("amount_minor", "7"), ("amount_minor", True), ("amount_minor", None), ("pending_id", "1"), ("code", None),
         ("code", 5), ("code", ["x"]), ("details", 5), ("details", ["x"])],
    )  # fmt: skip
    def test_hashes_numbers_and_texts_and_nothing_that_looks_like_them(self, world, name, value):
        fields = world.database.read(lambda session: seals._fields(session, world.paid.id))
        with pytest.raises(ValueError, match=name):
            seals.canonical(fields | {name: value})

    def test_is_a_small_file_with_sorted_names(self):
        assert proof_text({"b": 1, "a": [2]}) == '{\n "a": [\n  2\n ],\n "b": 1\n}\n'

    def test_hashes_the_same_bytes_in_the_database_and_outside(self, world):
        query = text(f"SELECT {seals._CANONICAL_SQL} FROM ledger_transfer WHERE id = :id")
        for one in (world.paid, world.held):
            made = world.database.read(
                lambda session, one=one: session.execute(query, {"id": one.id}).scalar_one()
            )
            fields = world.database.read(lambda session, one=one: seals._fields(session, one.id))
            assert made.encode() == seals.canonical(fields)


def _leaves(value, path=()):
    if isinstance(value, dict):
        for name in value:
            yield from _leaves(value[name], (*path, name))
    elif isinstance(value, list):
        for place in range(len(value)):
            yield from _leaves(value[place], (*path, place))
    else:
        yield path
