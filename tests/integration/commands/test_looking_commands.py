"""`smoney payment show` and `smoney member ...`: an admin understands a payment, and finds a person."""

import json

import pytest


class TestPaymentShow:
    def test_tells_the_whole_story_in_order(self, street, smoney):
        story = json.loads(smoney("payment", "show", street.reference("bob"), "--json").out)
        assert story["state"] == "paid"
        assert story["total"] == "10.00 €"
        assert "@bob (Bob Martin)" in story["payer"]
        kinds = [each["kind"] for each in story["happened"]]
        assert kinds.index("said") < kinds.index("asked") < kinds.index("answered") < kinds.index("moved")
        told = [each["what"] for each in story["happened"] if each["kind"] == "told"]
        assert [what.split(" ")[0] for what in told] == ["challenge", "receipt_payer", "receipt_payee"]
        assert all(": sent" in what for what in told)
        assert any("send 10€ @alice" in each["what"] for each in story["happened"])
        assert [each["at"] for each in story["happened"]] == sorted(each["at"] for each in story["happened"])

    def test_never_shows_a_code(self, street, smoney):
        digits = street.code("bob").split(" ")[1]
        assert digits not in smoney("payment", "show", street.reference("bob")).out

    def test_tells_of_edits_held_money_and_what_became_of_it(self, street, smoney):
        post = street.tweets("bob", "@smoney send 10€ @zoe")
        street.edits(post, "@smoney send 7€ @zoe for tea")
        street.answers("bob")
        street.says("zoe", "start")
        out = smoney("payment", "show", street.reference("bob").lower()).out
        assert "an edit" in out
        assert "superseded" in out
        assert "note “tea”" in out
        assert "pending payment, 7.00 €" in out
        assert "post payment, 7.00 €" in out

    def test_leaves_out_what_is_about_another_payment(self, street, smoney):
        first = street.reference("bob")
        street.tweets("bob", "@smoney send 3€ @carol")
        street.answers("bob")
        out = smoney("payment", "show", first).out
        assert "3.00" not in out
        assert out.count("receipt_payer") == 1

    @pytest.mark.parametrize("reference", ["P-AAAAAA", "nonsense", ""])
    def test_of_nothing_is_a_sentence(self, smoney, reference):
        said = smoney("payment", "show", reference)
        assert said.code == 2
        assert "no payment" in said.err


class TestMember:
    def test_is_found_by_id_handle_and_reference(self, street, smoney):
        bob = street.world.person("bob").id
        for wanted in (str(bob), "@bob", "BOB", street.reference("bob")):
            (row,) = smoney("member", "find", wanted, "--json").rows
            assert (row["id"], row["handle"]) == (bob, "@bob")

    def test_who_is_nobody_is_a_sentence(self, smoney):
        assert smoney("member", "find", "@nobody", "--json").rows == []
        said = smoney("member", "show", "@nobody")
        assert said.code == 2
        assert "nobody here" in said.err

    def test_is_shown_with_wallet_and_payments(self, street, smoney):
        street.says("bob", "freeze")
        row = json.loads(smoney("member", "show", "@bob", "--json").out)
        assert row["wallet"]["available"] == "90.00 €"
        assert row["wallet"]["state"] == "debits_frozen"
        assert row["frozen"] == "self"
        assert street.reference("alice") in row["payments"][0]
        assert "90.00 €" in smoney("member", "show", "@bob").out


class TestMemberData:
    def test_is_handed_out_as_a_file_of_ones_own_and_written_down(self, street, smoney, tmp_path):
        file = tmp_path / "bob.json"
        assert smoney("member", "data", "@bob", "--out", str(file), "--reason", "a letter").code == 0
        data = json.loads(file.read_text())
        assert data["tables"]["people"][0]["username"] == "bob"
        assert oct(file.stat().st_mode)[-3:] == "600"
        assert "member.data (a letter)" in smoney("member", "show", "@bob").out
        again = smoney("member", "data", "@bob", "--out", str(file), "--reason", "a letter")
        assert "is there already" in again.err
        other = tmp_path / "other.json"
        assert smoney("member", "data", "@bob", "--out", str(other), "--reason", " ").code == 2
        assert not other.exists()


class TestPaymentFind:
    WHEN = ("--since", "2026-11-23", "--until", "2026-11-24")

    def found(self, smoney, *words):
        return [
            (row["from"], row["to"], row["amount"], row["state"])
            for row in smoney("payment", "find", *self.WHEN, *words, "--json").rows
        ]

    def test_finds_by_person_on_either_side_amount_and_time(self, street, smoney):
        street.tweets("bob", "@smoney send 7€ @zoe")
        street.answers("bob")
        street.tweets("carol", "@smoney send 2.50€ @bob")
        street.answers("carol")
        assert self.found(smoney) == [
            ("@carol", "@bob", "2.50 €", "paid"),
            ("@bob", "@zoe", "7.00 €", "held"),
            ("@bob", "@alice", "10.00 €", "paid"),
        ]
        assert self.found(smoney, "--who", "@bob", "--limit", "2") == self.found(smoney)[:2]
        assert self.found(smoney, "--who", "@alice") == [("@bob", "@alice", "10.00 €", "paid")]
        assert self.found(smoney, "--amount", "2,50") == [("@carol", "@bob", "2.50 €", "paid")]
        assert self.found(smoney, "--who", "@zoe", "--amount", "8") == []
        assert smoney("payment", "find", "--until", "2026-11-23", "--json").rows == []

    def test_says_what_is_wrong(self, smoney):
        assert smoney("payment", "find", "--who", "@nobody_at_all").code == 2
        assert smoney("payment", "find", "--amount", "1.000").code == 2
        assert smoney("payment", "find", "--since", "yesterday").code == 2


class TestUsage:
    def test_tells_calls_dollars_and_dollars_for_each_payment(self, street, smoney):
        """As the sandbox's meter has it; prices are thousandths of a dollar."""
        street.town.bot.usage.note()
        told = json.loads(smoney("usage", "--json").out)
        total, meter = told["total"], street.world.meter.thousandths
        assert total["payments"] == 1
        assert total["dollars"] == total["dollars_per_payment"] == f"{meter // 1000}.{meter % 1000:03d}"
        assert total["calls"] == sum(line["calls"] for line in told["calls"])
        sends = next(row for row in told["limits"] if row["call"] == "send_message" and row["minutes"] == 15)
        assert sends["said_by"] == "X"
        assert f"{total['dollars']} $ a payment" in smoney("usage").out
