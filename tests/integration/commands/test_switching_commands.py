"""`smoney pause`, `resume` and `wind-down`, as an admin types them."""


class TestPause:
    def test_halts_payments_and_lets_them_go_on(self, street, smoney):
        said = smoney("pause", "payments", "--reason", "the bank does not answer")
        assert (said.code, "Payments are paused" in said.out) == (0, True)
        street.tweets("bob", "@smoney send 5€ @alice")
        assert "paused" in street.heard("bob")[-1]
        assert smoney("resume", "payments", "--reason", "it does").code == 0
        street.tweets("bob", "@smoney send 6€ @alice")
        street.answers("bob")
        assert street.has("alice") == 16_00

    def test_says_what_is_wrong(self, smoney):
        assert smoney("pause", "everything", "--reason", "x").code == 2
        assert "--reason" in smoney("pause", "sends").err
        said = smoney("resume", "sends", "--reason", "a try")
        assert (said.code, "are not paused" in said.err) == (2, True)


class TestWindDown:
    def test_asks_before_it_closes_the_service(self, street, smoney):
        assert smoney("wind-down", "--reason", "we stop").code == 1
        street.tweets("bob", "@smoney send 5€ @alice")
        street.answers("bob")
        assert street.has("alice") == 15_00

    def test_closes_it_and_can_be_called_off(self, street, smoney):
        assert smoney("wind-down", "--reason", "we stop", "--yes").code == 0
        street.tweets("bob", "@smoney send 5€ @alice")
        assert street.heard("bob")[-1].startswith("This service is closing")
        assert smoney("wind-down", "--end", "--reason", "we stay").code == 0
        street.tweets("bob", "@smoney send 6€ @alice")
        street.answers("bob")
        assert street.has("alice") == 16_00


def test_each_says_what_it_did_as_json_alone(smoney):
    why = ("--reason", "a drill", "--json")
    for words in (
        ("pause", "payments"), ("resume", "payments"), ("pause", "sends"), ("resume", "sends"),
        ("wind-down", "--yes"), ("wind-down", "--end"),
    ):  # fmt: skip
        (row,) = smoney(*words, *why).rows
        assert row["done"], words
