"""A backup made while people pay, and restored into an empty place: what was lost is counted."""

import json
import threading
from dataclasses import replace
from hashlib import sha256
from io import BytesIO

import pytest
from sqlalchemy import inspect, text

from bot.errors import BackupUnusable, Misconfigured
from bot.keeping.manifest import Manifest
from bot.keeping.parcel import new_key, pack, recipient_of
from bot.keeping.restoring import restore
from bot.keys import Keyring, generate
from bot.sealing import seal
from bot.settings import load
from bot.store.admin_tables import AdminRow, AdminSessionRow
from bot.store.device_tables import DeviceRow
from bot.wiring import utc_now
from ledger.money import EUR, Money
from ledger.transfers import NewTransfer

ON_ONE_ENGINE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def rows_of(database):
    """Every row of every table."""

    def work(session):
        connection = session.connection()
        return {
            name: sorted(map(repr, connection.execute(text(f'SELECT * FROM "{name}"'))))
            for name in inspect(connection).get_table_names()
        }

    return database.read(work)


class Payers:
    """Four threads that pay cents without end; each payment is noted once it was acknowledged."""

    def __init__(self, street):
        self._bot = street.town.bot
        self.acknowledged: list[int] = []
        self._stop = threading.Event()
        read = self._bot.database.read
        wallets = read(lambda s: s.connection().execute(text(
            "SELECT id FROM ledger_account WHERE code = 'wallet' ORDER BY credits_posted DESC")).scalars().all())  # fmt: skip
        self._debit, self._credit = wallets[0], wallets[1]
        self._threads = [threading.Thread(target=self._pay, args=(number,)) for number in range(4)]

    def _pay(self, number):
        done = 0
        while not self._stop.is_set():
            done += 1
            new = NewTransfer(
                debit_account_id=self._debit, credit_account_id=self._credit, amount=Money(1, EUR),
                code="payment", idempotency_key=f"{number}:{done}", authorisation_id=1,
            )  # fmt: skip
            booked = self._bot.database.write(
                lambda session, new=new: self._bot.ledger.transfer(session, new)
            )
            self.acknowledged.append(booked.id)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def wait_for(self, number):
        while len(self.acknowledged) < number:
            assert all(thread.is_alive() for thread in self._threads)

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()


class TestBackup:
    def test_restored_elsewhere_is_the_same_book_row_for_row(self, street, keeper):
        database = street.town.bot.database
        seal(database, keeper.settings, utc_now)
        before = rows_of(database)
        file, manifest = keeper.backs_up(database)
        restored = keeper.restores(file)
        assert restored.findings == ()
        assert restored.manifest == manifest
        assert manifest.contents.last_seal["number"] == 1
        with keeper.restored() as copy:
            after = rows_of(copy)
        assert len(after.pop("restores")) == 1
        assert not before.pop("restores")
        before.pop("leases"), after.pop("leases")  # the dead bot holds nothing any more
        assert after == before

    def test_restored_signs_everybody_out(self, street, keeper):
        """Who was signed in at its moment may have been signed out since, or have lost the role or the account."""
        now, bob = street.world.now(), street.world.person("bob").id
        seen = {"secret_hash": b"x" * 32, "created_at": now, "seen_at": now}

        def sign_in(session):
            session.add(AdminRow(id=7, name="anna", role="owner", added_at=now))
            session.flush()
            session.add(AdminSessionRow(id=7, admin_id=7, **seen))
            session.add(DeviceRow(id=7, person_id=bob, proved_at=now, **seen))

        database = street.town.bot.database
        database.write(sign_in)
        file, _ = keeper.backs_up(database)
        assert keeper.restores(file).findings == ()

        def are_ended(session):
            return [session.get_one(table, 7).ended_at is not None for table in (AdminSessionRow, DeviceRow)]

        with keeper.restored() as copy:
            assert copy.read(are_ended) == [True, True]

    def test_made_while_people_pay_loses_nothing_up_to_its_moment(self, street, keeper):
        database = street.town.bot.database
        with Payers(street) as payers:
            payers.wait_for(30)
            before = set(payers.acknowledged)
            file, manifest = keeper.backs_up(database)
            payers.wait_for(len(payers.acknowledged) + 10)
        restored = keeper.restores(file)
        with keeper.restored() as copy:
            kept = set(
                copy.read(lambda s: s.connection().execute(text("SELECT id FROM ledger_transfer")).scalars())
            )
        lost = set(payers.acknowledged) - kept
        assert before <= kept, "lost although acknowledged before the backup began"
        assert len(lost) >= 10
        assert len(kept) == manifest.contents.counts["ledger_transfer"]
        # The authorisations of these payments are made up, and the audit says so; nothing of the ledger is broken.
        assert not [one for one in restored.findings if one.startswith("not as it was")]

    def test_holds_nothing_in_clear(self, street, keeper):
        file, _ = keeper.backs_up(street.town.bot.database)
        content = file.read_bytes()
        assert content.startswith(b"age-encryption.org/v1\n")
        for word in (b"smoney-backup", b"ledger_transfer", b"SQLite format", b"CREATE TABLE"):
            assert word not in content
        assert file.stat().st_mode & 0o077 == 0
        assert [path.name for path in keeper.settings.home.glob("backup-*")] == []

    @ON_ONE_ENGINE
    def test_without_a_public_key_is_not_made(self, street, keeper, tmp_path):
        keeper.settings = load(
            home=keeper.settings.home,
            database_url=keeper.settings.database_address,
            keys=keeper.settings.required("keys"),
        )
        with pytest.raises(Misconfigured, match="SMONEY_BACKUP_RECIPIENT"):
            keeper.backs_up(street.town.bot.database)
        assert not (tmp_path / "town.age").exists()

    @ON_ONE_ENGINE
    def test_is_never_written_over_another(self, street, keeper):
        file, _ = keeper.backs_up(street.town.bot.database)
        content = file.read_bytes()
        with pytest.raises(Misconfigured, match="there already"):
            keeper.backs_up(street.town.bot.database)
        assert file.read_bytes() == content

    @ON_ONE_ENGINE
    def test_that_fails_leaves_nothing_behind(self, street, keeper, tmp_path):
        keeper.settings = keeper.settings.model_copy(update={"home": tmp_path / "not there"})
        with pytest.raises(FileNotFoundError):
            keeper.backs_up(street.town.bot.database)
        assert not list(tmp_path.glob("*.age*"))


class TestRestore:
    @ON_ONE_ENGINE
    def test_of_a_damaged_backup_touches_nothing(self, street, keeper, copy_of):
        file, _ = keeper.backs_up(street.town.bot.database)
        content = file.read_bytes()
        middle = len(content) // 2
        for damaged in (
            content[:-1],
            content[:middle],
            content[:middle] + b"\0" + content[middle + 1 :],
            b"",
        ):
            with pytest.raises(BackupUnusable):
                keeper.restores(copy_of(file, damaged))
            assert keeper.is_empty()

    @ON_ONE_ENGINE
    def test_with_another_private_key_touches_nothing(self, street, keeper, tmp_path):
        file, _ = keeper.backs_up(street.town.bot.database)
        keeper.key.write_text(new_key()[0])
        with pytest.raises(BackupUnusable, match="not encrypted to this key"):
            keeper.restores(file)
        assert keeper.is_empty()

    @ON_ONE_ENGINE
    def test_of_what_somebody_made_with_the_public_key_alone_is_refused(self, street, keeper, tmp_path):
        """Anybody can encrypt to a public key; a backup is one only if the master key vouches for it."""
        _, manifest = keeper.backs_up(street.town.bot.database)
        recipient = recipient_of(keeper.settings.backup_recipient, setting="x")
        own = Keyring(keeper.settings.required("keys")).current_id
        for key_id in ("k-other", own):
            forger = Keyring(f"{key_id}:{generate(lambda n: bytes(range(7, n + 7))).split(':')[1]}")
            forged = tmp_path / f"{key_id}.age"
            with forged.open("wb") as out:
                pack(manifest.header(forger), BytesIO(b"\\! touch /tmp/owned"), out, recipient)
            with pytest.raises(BackupUnusable, match="master key"):
                keeper.restores(forged)
            assert keeper.is_empty()

    @ON_ONE_ENGINE
    def test_of_other_content_under_a_true_header_is_refused(self, street, keeper, tmp_path):
        _, manifest = keeper.backs_up(street.town.bot.database)
        recipient = recipient_of(keeper.settings.backup_recipient, setting="x")
        header = manifest.header(Keyring(keeper.settings.required("keys")))
        with (tmp_path / "forged.age").open("wb") as out:
            pack(header, BytesIO(b"x" * manifest.content_bytes), out, recipient)
        with pytest.raises(BackupUnusable, match="not what it says"):
            keeper.restores(tmp_path / "forged.age")
        assert keeper.is_empty()

    def test_never_goes_over_a_book(self, street, keeper):
        file, _ = keeper.backs_up(street.town.bot.database)
        before = rows_of(street.town.bot.database)
        with pytest.raises(Misconfigured, match="empty place"):
            restore(keeper.settings, utc_now, file, keeper.key)
        assert rows_of(street.town.bot.database) == before

    @ON_ONE_ENGINE
    def test_of_a_newer_programs_backup_touches_nothing(self, street, keeper, tmp_path):
        _, manifest = keeper.backs_up(street.town.bot.database)
        said = json.loads(manifest.header(Keyring(keeper.settings.required("keys"))))["manifest"]
        said["contents"]["forms"]["bot"] = "9999"
        newer = Manifest(**{**said, "contents": type(manifest.contents)(**said["contents"])})
        with (tmp_path / "newer.age").open("wb") as out:
            pack(
                _about(newer, b"content").header(Keyring(keeper.settings.required("keys"))),
                BytesIO(b"content"),
                out,
                recipient_of(keeper.settings.backup_recipient, setting="x"),
            )
        with pytest.raises(BackupUnusable, match="newer one"):
            keeper.restores(tmp_path / "newer.age")
        assert keeper.is_empty()

    def test_of_a_book_that_did_not_hold_says_so(self, street, keeper):
        """The backup of a book whose guards somebody took away: it is restored, and the audit finds the row."""
        database = street.town.bot.database
        _without_guards(
            database, "UPDATE ledger_transfer SET amount_minor = amount_minor + 1 WHERE code = 'payment'"
        )
        file, _ = keeper.backs_up(database)
        assert any("transfer" in finding for finding in keeper.restores(file).findings)


def _about(manifest, content):
    return replace(manifest, content_bytes=len(content), content_sha256=sha256(content).hexdigest())


def _without_guards(database, statement):
    def work(session):
        connection = session.connection()
        if database.dialect == "postgresql":
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        else:
            triggers = connection.execute(
                text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'ledger%'")
            ).scalars()
            for name in list(triggers):
                connection.execute(text(f'DROP TRIGGER "{name}"'))
        connection.execute(text(statement))

    database.write(work)
