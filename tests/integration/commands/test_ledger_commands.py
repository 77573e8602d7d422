"""`smoney ledger ...` on a town's book: evidence, statements, exports, reports."""

import csv
import json
import shutil
import subprocess

import pytest
from sqlalchemy import text

HLEDGER = shutil.which("hledger")


class TestProof:
    def test_of_a_payment_is_checked_with_the_public_key_alone(self, street, smoney, tmp_path):
        file = tmp_path / "proof.json"
        assert "transfers, root" in smoney("ledger", "seal").out
        assert smoney("ledger", "prove", street.reference("bob"), "--out", str(file)).code == 0
        key = smoney("keys", "public").out.strip()
        checked = smoney("ledger", "check-proof", str(file), "--key", key, env=False)
        assert checked.code == 0
        assert "10.00 EUR" in checked.out

    def test_with_one_digit_changed_proves_nothing(self, street, smoney, tmp_path):
        file = tmp_path / "proof.json"
        smoney("ledger", "seal")
        smoney("ledger", "prove", street.reference("bob"), "--out", str(file))
        proof = json.loads(file.read_text())
        proof["transfer"]["amount_minor"] += 1
        file.write_text(json.dumps(proof))
        key = smoney("keys", "public").out.strip()
        checked = smoney("ledger", "check-proof", str(file), "--key", key, env=False)
        assert checked.code == 3
        assert "Proves nothing" in checked.err

    def test_of_several_payees_proves_each(self, street, smoney, tmp_path):
        street.tweets("bob", "@smoney send 3€ each to @alice and @carol")
        street.answers("bob")
        smoney("ledger", "seal")
        file = tmp_path / "proof.json"
        smoney("ledger", "prove", street.reference("bob"), "--out", str(file))
        key = smoney("keys", "public").out.strip()
        proved = smoney("ledger", "check-proof", str(file), "--key", key, "--json", env=False)
        assert [row["amount_minor"] for row in proved.rows] == [300, 300]

    @pytest.mark.parametrize("reference", ["P-AAAAAA", "17", "nonsense", "9" * 30])
    def test_of_nothing_is_a_sentence(self, smoney, reference):
        said = smoney("ledger", "prove", reference)
        assert said.code == 2
        assert "no payment" in said.err

    def test_before_the_seal_says_so(self, street, smoney):
        said = smoney("ledger", "prove", street.reference("bob"))
        assert said.code == 1
        assert "seal" in said.err

    @pytest.mark.parametrize("written", ["", "[]", "[1]", '{"proofs": [{}]}', "null"])
    def test_that_is_none_is_a_sentence(self, smoney, tmp_path, written):
        file = tmp_path / "proof.json"
        file.write_text(written)
        said = smoney("ledger", "check-proof", str(file), "--key", "ab" * 32, env=False)
        assert said.code in {2, 3}
        assert "Traceback" not in said.err

    def test_with_what_is_no_key_is_a_sentence(self, smoney, tmp_path):
        said = smoney("ledger", "check-proof", str(tmp_path), "--key", "xyz", env=False)
        assert said.code == 2
        assert "--key" in said.err


class TestVerify:
    def test_checks_the_signatures_of_the_seals(self, street, smoney):
        smoney("ledger", "seal")
        assert smoney("ledger", "verify").code == 0
        database = street.town.bot.database

        def forge(session):
            connection = session.connection()
            guards = (
                ["DROP TRIGGER ledger_seal_never_changes"]
                if database.dialect == "sqlite"
                else ["SET LOCAL session_replication_role = replica"]
            )
            for statement in guards:
                connection.execute(text(statement))
            connection.execute(text("UPDATE ledger_seal SET signature = :s"), {"s": "00" * 64})

        database.write(forge)
        said = smoney("ledger", "verify")
        assert said.code == 3
        assert "seal_forged" in said.out


class TestStatement:
    @pytest.mark.parametrize("form", ["text", "csv", "camt053"])
    def test_of_a_wallet_shows_what_it_paid(self, street, smoney, tmp_path, form):
        rows = smoney("ledger", "accounts", "--json").rows
        wallet = next(row for row in rows if row["person"] == street.world.person("bob").id)
        file = tmp_path / "statement"
        said = smoney("ledger", "statement", str(wallet["account"]), "--format", form, "--out", str(file))
        assert said.code == 0
        assert "10.00" in file.read_text()
        assert smoney("ledger", "statement", str(wallet["account"]), "--format", form).out.count("10.00")

    def test_never_overwrites_a_file(self, smoney, tmp_path):
        file = tmp_path / "book.csv"
        file.write_text("mine")
        assert smoney("ledger", "export", "csv", "--out", str(file)).code == 2
        assert file.read_text() == "mine"

    def test_of_an_unknown_account_leaves_no_file(self, smoney, tmp_path):
        file = tmp_path / "statement"
        said = smoney("ledger", "statement", "5", "--out", str(file))
        assert said.code == 1
        assert list(tmp_path.glob("statement*")) == []

    def test_in_an_unknown_form_names_the_known_ones(self, smoney):
        said = smoney("ledger", "statement", "5", "--format", "pdf")
        assert said.code == 2
        assert "camt053" in said.err


class TestExport:
    def test_has_every_transfer(self, smoney):
        rows = list(csv.DictReader(smoney("ledger", "export", "csv").out.splitlines()))
        assert [row["amount"] for row in rows if row["code"] == "payment"] == ["10.00"]

    @pytest.mark.skipif(HLEDGER is None, reason="hledger is not installed")
    def test_is_checked_by_hledger(self, smoney, tmp_path):
        file = tmp_path / "book.journal"
        smoney("ledger", "export", "hledger", "--out", str(file))
        assert HLEDGER is not None
        subprocess.run([HLEDGER, "check", "-f", str(file)], check=True)


class TestReports:
    def test_of_the_trial_balance_adds_up(self, smoney):
        rows = smoney("ledger", "trial-balance", "--json").rows
        assert {row["kind"] for row in rows} == {"wallet", "test_money"}
        assert sum(float(row["debits"]) - float(row["credits"]) for row in rows) == 0

    def test_of_what_is_owed_names_what_is_held(self, smoney):
        (row,) = smoney("ledger", "coverage", "--json").rows
        assert (row["owed"], row["held"], row["surplus"]) == ("120.00", "120.00", "0.00")

    def test_of_clearing_says_when_nothing_is_open(self, smoney):
        assert "drained" in smoney("ledger", "clearing").out
