"""Bracketed parameters, read strictly. Pure."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.card_sandbox.parameters import Fields, nested
from bot.card_sandbox.refusals import StripeRefusal


class TestNested:
    def test_builds_objects_and_lists(self):
        pairs = [("a[0][b]", "1"), ("a[1][b]", "2"), ("c[]", "x"), ("c[]", "y"), ("d", "")]
        assert nested(pairs) == {
            "a": {"0": {"b": "1"}, "1": {"b": "2"}},
            "c": {"0": "x", "1": "y"},
            "d": "",
        }

    @pytest.mark.parametrize(
        "names", [["a", "a"], ["a", "a[b]"], ["a[b]", "a"], ["[a]"], ["a]"], ["a[b"], ["A"], [""], ["a[[b]]"]]
    )
    def test_refuses_what_is_two_things_or_none(self, names):
        with pytest.raises(StripeRefusal):
            nested((name, "1") for name in names)

    def test_refuses_too_many_and_too_deep(self):
        with pytest.raises(StripeRefusal):
            nested((f"a{number}", "1") for number in range(201))
        with pytest.raises(StripeRefusal):
            nested([("a" + "[b]" * 8, "1")])

    @given(st.lists(st.tuples(st.text(alphabet="ab[]0", max_size=8), st.text(max_size=3)), max_size=6))
    def test_takes_or_refuses_anything(self, pairs):
        with suppress(StripeRefusal):
            assert isinstance(nested(pairs), dict)


class TestFields:
    def test_finish_names_the_whole_path_of_what_nobody_asked_for(self):
        fields = Fields(nested([("a[0][b]", "1"), ("a[0][c]", "2")]))
        (first,) = fields.items("a")
        assert first.whole("b") == 1
        fields.finish()
        with pytest.raises(StripeRefusal) as refused:
            first.finish()
        assert refused.value.parameter == "a[0][c]"
