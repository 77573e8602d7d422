"""`smoney member fund`, `payout`, `payment refund`, `operator fund` and `proposals`, as two admins type them."""

import pytest

from bot.payments.house import House
from bot.wiring import utc_now
from ledger.money import EUR, Money


@pytest.fixture
def types(smoney, monkeypatch):
    """`types("olga", "member", ...)`: the system's user olga gives a command."""

    def run(login, *words):
        monkeypatch.setenv("SUDO_USER", login)
        return smoney(*words)

    for name, role in (("olga", "owner"), ("tom", "treasurer"), ("rita", "read")):
        said = run(
            "root" if name == "olga" else "olga",
            "admin",
            "add",
            name,
            "--role",
            role,
            "--login",
            name,
            "--reason",
            "the team",
        )
        assert said.code == 0, said.err
    return run


def catch_up(street):
    """Commands go by the machine's clock, the town by its own."""
    street.world.advance(utc_now() - street.world.now())
    street.town.settle()


class TestMoney:
    def test_comes_in_by_two(self, street, types):
        said = types(
            "olga",
            "member",
            "fund",
            "@alice",
            "25,50",
            "--reference",
            "SEPA 1",
            "--reason",
            "it arrived",
            "--json",
        )
        (row,) = said.rows
        assert (row["state"], row["amount"], row["proposed_by"]) == ("open", "25.50", "olga")
        (waiting,) = types("tom", "proposals", "list", "--json").rows
        assert waiting["id"] == row["id"]
        refused = types("olga", "proposals", "approve", str(row["id"]), "--reason", "seen", "--yes")
        assert (refused.code, "somebody else has to approve it" in refused.err) == (1, True)
        done = types("tom", "proposals", "approve", str(row["id"]), "--reason", "seen", "--yes")
        assert (done.code, street.has("alice")) == (0, 35_50)
        assert types("tom", "proposals", "list", "--json").rows == []
        assert [each["decided_by"] for each in types("tom", "proposals", "list", "--all", "--json").rows] == [
            "tom"
        ]

    def test_goes_out_by_two_and_not_without_a_yes(self, street, types):
        said = types(
            "olga",
            "member",
            "payout",
            "@bob",
            "50",
            "--reference",
            "SEPA 2",
            "--reason",
            "asked for",
            "--json",
        )
        number = str(said.rows[0]["id"])
        asked = types("tom", "proposals", "approve", number, "--reason", "fine")
        assert (asked.code, street.has("bob")) == (1, 90_00)
        assert "payout, 50.00 €" in asked.out
        assert types("tom", "proposals", "approve", number, "--reason", "fine", "--yes").code == 0
        assert street.has("bob") == 40_00

    def test_of_the_operator_is_put_in(self, types):
        said = types(
            "olga", "operator", "fund", "100", "--reference", "SEPA 3", "--reason", "a buffer", "--json"
        )
        assert types("tom", "proposals", "refuse", str(said.rows[0]["id"]), "--reason", "not there").code == 0

    @pytest.mark.parametrize("amount", ["1.000", "10,5", "-5", "0", "ten", "1e3", "10.005", ""])
    def test_written_in_a_way_that_could_be_misread_is_refused(self, street, types, amount):
        said = types("olga", "member", "fund", "--reference", "x", "--reason", "y", "--", "@alice", amount)
        assert said.code == 2
        assert street.count("SELECT count(*) FROM proposals") == 0


class TestARefund:
    def test_tells_both_sides_the_reason(self, street, types):
        reference = street.reference("bob")
        assert types("olga", "payment", "refund", reference, "--reason", "the wrong one").code == 1
        assert types("olga", "payment", "refund", reference, "--reason", "the wrong one", "--yes").code == 0
        catch_up(street)
        assert (street.has("bob"), street.has("alice")) == (100_00, 0)
        for who in ("bob", "alice"):
            assert "the wrong one" in street.heard(who)[-1]
        assert "refund" in types("rita", "payment", "show", reference).out

    def test_that_cannot_be_is_a_sentence(self, types):
        said = types("olga", "payment", "refund", "P-AAAAAA", "--reason", "x", "--yes")
        assert (said.code, "no payment's reference" in said.err) == (2, True)


class TestAMember:
    def test_is_frozen_thawed_and_noted(self, street, types):
        assert types("olga", "member", "freeze", "@bob", "--reason", "his session was stolen").code == 0
        catch_up(street)
        assert "frozen by those who run me" in street.heard("bob")[-1]
        street.tweets("bob", "@smoney send 5€ @alice")
        assert street.payments == 1
        assert types("olga", "member", "note", "@bob", "called, will send his passport").code == 0
        assert "will send his passport" in types("rita", "member", "show", "@bob").out
        assert types("olga", "member", "thaw", "@bob", "--reason", "passport seen").code == 0
        assert types("olga", "member", "thaw", "@bob", "--reason", "again").code == 2

    def test_has_limits_to_look_at(self, street, types):
        street.world.advance(utc_now() - street.world.now())
        street.tweets("bob", "@smoney send 5€ @alice")
        street.answers("bob")
        rows = {row["what"]: row for row in types("rita", "member", "limits", "@bob", "--json").rows}
        assert rows["24 hours"]["used"] == "5.00 €"
        assert rows["held"]["used"] == "85.00 €"


CHANGING = (
    ("member", "fund", "@bob", "5", "--reference", "x"),
    ("member", "payout", "@bob", "5", "--reference", "x"),
    ("operator", "fund", "5", "--reference", "x"),
    ("payment", "refund", "REFERENCE", "--yes"),
    ("proposals", "approve", "PROPOSAL", "--yes"),
    ("proposals", "refuse", "PROPOSAL"),
    ("bank", "match", "7", "@bob"),
    ("bank", "match", "7", "--proposal", "PROPOSAL"),
    ("bank", "ignore", "7"),
    ("member", "freeze", "@bob"),
    ("member", "thaw", "@bob"),
    ("member", "tier", "@bob", "new"),
    ("member", "unlock", "@bob"),
    ("member", "end-factor", "@bob"),
    ("member", "data", "@bob", "--out", "OUT"),
    ("reviews", "release", "REFERENCE"),
    ("reviews", "refuse", "REFERENCE"),
    ("pause", "payments"),
    ("pause", "sends"),
    ("resume", "payments"),
    ("resume", "sends"),
    ("wind-down", "--yes"),
    ("wind-down", "--end"),
    ("inbox", "retry", "ASIDE"),
    ("inbox", "drop", "ASIDE"),
    ("outbox", "retry", "FAILED"),
    ("outbox", "drop", "WAITING"),
    ("admin", "add", "otto", "--role", "read"),
    ("admin", "role", "tom", "owner"),
    ("admin", "invite", "tom"),
    ("admin", "end", "tom"),
)
"""Every command that changes something, but for the reason."""


class TestAReader:
    def test_changes_nothing_by_any_command(self, street, types, tmp_path):
        proposal = types(
            "olga", "member", "fund", "@alice", "5", "--reference", "y", "--reason", "r", "--json"
        ).rows[0]
        street.tweets("carol", "hello @smoney, what is this", settle=False)
        street.town.bot.listening.read_mentions()
        aside = "UPDATE inbox SET state = 'set_aside', reason = 'on purpose' WHERE state = 'waiting'"
        street.change(aside)
        street.change("UPDATE outbox SET state = 'failed' WHERE id = (SELECT min(id) FROM outbox)")
        street.change("UPDATE outbox SET state = 'waiting' WHERE id = (SELECT max(id) FROM outbox)")
        known = {
            "REFERENCE": street.reference("bob"),
            "PROPOSAL": str(proposal["id"]),
            "OUT": str(tmp_path / "bob.json"),
            "ASIDE": str(street.count("SELECT id FROM inbox WHERE state = 'set_aside'")),
            "FAILED": str(street.count("SELECT min(id) FROM outbox")),
            "WAITING": str(street.count("SELECT max(id) FROM outbox")),
        }
        before = street.everything()
        for words in CHANGING:
            said = types("rita", *(known.get(word, word) for word in words), "--reason", "I would like to")
            assert said.code == 1, f"{words}: {said.out}{said.err}"
            assert "needs the role" in said.err
            assert street.everything() == before, words
        assert not (tmp_path / "bob.json").exists()

    def test_notes_nothing(self, types):
        said = types("rita", "member", "note", "@bob", "a word")
        assert (said.code, "needs the role support" in said.err) == (1, True)

    def test_and_who_is_no_admin_do_not_get_further(self, street, types):
        said = types("eve", "pause", "payments", "--reason", "mischief")
        assert (said.code, "eve is no admin here" in said.err) == (1, True)


class TestTheBooks:
    def test_are_found_wanting_where_money_moved_that_no_two_decided(self, street, types):
        said = types(
            "olga", "operator", "fund", "100", "--reference", "SEPA 3", "--reason", "a buffer", "--json"
        )
        types("tom", "proposals", "approve", str(said.rows[0]["id"]), "--reason", "seen", "--yes")
        assert types("rita", "ledger", "verify").code == 0
        bot = street.town.bot

        def forge(session):
            alice = bot.people.get(session, street.world.person("alice").id)
            House(bot.ledger, bot.wallets, bot.authorisations).make_good(
                session, alice, Money(1, EUR), key="forged"
            )

        bot.database.write(forge)
        said = types("rita", "ledger", "verify")
        assert (said.code, "no two admins decided" in said.out + said.err) == (3, True)
