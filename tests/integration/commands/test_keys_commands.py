"""`smoney keys ...`, for people and for programs: each prints what it is there to print, and nothing else."""

import json

from bot.keeping.parcel import identity_of
from bot.keys import Keyring, keyring_from
from bot.watching.webhook import webhook_key


def test_a_new_master_key_is_the_same_line_in_json(smoney):
    (row,) = smoney("keys", "generate", "--json", env=False).rows
    assert set(row) == {"key"}
    assert Keyring(row["key"]).current_id
    assert Keyring(smoney("keys", "generate", env=False).out.strip()).current_id


def test_a_pair_for_backups_fits_together(smoney):
    (row,) = smoney("keys", "backup", "--json", env=False).rows
    assert set(row) == {"private", "public"}
    assert str(identity_of(row["private"], setting="x").to_public()) == row["public"]


def test_the_webhook_s_key_is_what_alarms_are_signed_with(street, smoney):
    (row,) = smoney("keys", "webhook", "--json").rows
    assert row == {"key": webhook_key(keyring_from(street.town.settings)).hex()}
    assert smoney("keys", "webhook").out.strip() == row["key"]


def test_public_keys_say_which_is_the_current_one(smoney):
    rows = smoney("keys", "public", "--json").rows
    assert [row["public_key"] for row in rows] == smoney("keys", "public").out.split()
    assert [row["current"] for row in rows] == [True]


def test_rotation_says_what_it_did_and_what_it_left(street, smoney):
    key = keyring_from(street.town.settings)
    said = smoney("keys", "rotate", "--json")
    assert (said.code, said.rows) == (0, [{"key": key.current_id, "values": 0, "left": []}])


def test_none_prints_the_master_key(street, smoney):
    secret = street.town.settings.required("keys").split(":")[1]
    for words in (("public",), ("webhook",), ("rotate",)):
        for asked in ((), ("--json",)):
            said = smoney("keys", *words, *asked)
            assert said.code == 0
            assert secret not in said.out + said.err


def test_a_proof_in_a_file_is_said_in_json(street, smoney, tmp_path):
    smoney("ledger", "seal")
    file = tmp_path / "proof.json"
    (row,) = smoney("ledger", "prove", street.reference("bob"), "--out", str(file), "--json").rows
    assert (row["file"], row["transfers"]) == (str(file), 1)


def test_a_statement_and_the_whole_book_are_lines_of_json(street, smoney):
    wallet = street.count(
        "SELECT wallet_id FROM people WHERE user_id = " + str(street.world.person("bob").id)
    )
    entries = smoney("ledger", "statement", str(wallet), "--json").rows
    assert [(row["change"], row["balance"]) for row in entries][-1] == ("-10.00", "90.00")
    transfers = [json.loads(line) for line in smoney("ledger", "export", "json").out.splitlines()]
    assert {row["id"] for row in transfers} >= {row["transfer_id"] for row in entries}
    assert len(transfers) == street.count("SELECT count(*) FROM ledger_transfer")
