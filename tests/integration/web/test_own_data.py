"""`my data`: everything kept about a person is in their file, and nothing that is somebody else's or a secret."""

import json

from bot.people.own_data import CHILDREN, OWNERS, WITHHELD
from bot.store.columns import metadata
from tests.integration.web.test_own_pages import App, signed_in

OTHERS = {
    ("blocks", "blocked_id"),
    ("trusted_payees", "payee_id"),
    ("questions", "subject_id"),
    ("intent_lines", "payee_id"),
}
"""Columns that name somebody whose row it is not; what was paid to them stands under `received`."""
NOBODYS = {"erasures", "admins"}


def naming_people():
    """Every column of every table through which a row is about somebody."""
    for table in metadata.sorted_tables:
        for column in table.columns:
            if any(key.column.table.name == "people" for key in column.foreign_keys):
                yield table.name, column.name


class TestOwnData:
    def test_holds_every_column_of_every_table_that_is_about_them(self, served_on_sqlite):
        street = served_on_sqlite.street
        street.tweets("bob", "@smoney send 10€ @alice for the red bicycle")
        street.answers("bob")
        street.tweets("alice", "@smoney send 2€ @bob for a bell")
        street.answers("alice")
        street.says("alice", "block @bob")
        street.says("bob", "block @carol")
        visitor = signed_in(served_on_sqlite)
        App(served_on_sqlite, visitor)
        street.says("bob", "my data")
        assert "Fetch my data" in street.heard("bob")[-1]
        visitor.gets("/me")
        answer = visitor.posts("/me/data")
        assert answer.headers["content-disposition"].startswith("attachment")
        data = json.loads(answer.text)
        for name in {*OWNERS, *CHILDREN}:
            columns = {column.name for column in metadata.tables[name].columns} - WITHHELD.get(name, set())
            for row in data["tables"][name]:
                assert set(row) == {column.removesuffix("_sealed") for column in columns}, name
        filled = {name for name, rows in data["tables"].items() if rows}
        assert filled >= {*OWNERS, "intent_lines", "recovery_codes"} - {
            "wrong_answers", "trusted_payees", "former_handles", "questions", "proposals", "top_ups",
        }  # fmt: skip
        assert "red bicycle" in answer.text
        assert [row["note"] for row in data["received"]] == ["a bell"]
        assert [row["direction"] for row in data["transfers"]] == ["in", "out", "in"]
        carol = street.world.person("carol").id
        assert [row["blocked_id"] for row in data["tables"]["blocks"]] == [carol]
        assert {name for name, _ in naming_people()} <= {*OWNERS, *CHILDREN}

    def test_knows_whose_every_row_is(self):
        for table, column in naming_people():
            assert OWNERS.get(table) == column or (table, column) in OTHERS, (table, column)
        for table in metadata.sorted_tables:
            sealed = [column.name for column in table.columns if column.name.endswith("_sealed")]
            known = table.name in {*OWNERS, *CHILDREN, *NOBODYS, "admin_actions", "user_tokens"}
            assert known or not sealed, table.name

    def test_is_sent_to_who_has_stopped_and_never_to_somebody_who_is_not_signed_in(self, served_on_sqlite):
        street = served_on_sqlite.street
        street.says("bob", "stop")
        street.passes(minutes=2)
        street.says("bob", "my data")
        assert "/me/link?t=" in street.heard("bob")[-1]
        visitor = served_on_sqlite.visitor()
        visitor.gets("/status")
        assert visitor.posts("/me/data").status_code in {401, 403}
