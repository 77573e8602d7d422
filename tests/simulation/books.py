"""Looks into the database file past the bot's code, and holds what it finds against the model.

Cheap enough for every step: only what is new since the last look is read.
"""

import sqlite3
from collections import defaultdict
from datetime import datetime
from itertools import groupby
from pathlib import Path

from ledger.clock import instant_of
from tests.simulation.model import Broken, Model

_NEW = """
SELECT t.id, t.kind, t.amount_minor, t.pending_id, t.reverses_id, t.booked_at, t.code,
    d.user_id AS payer, c.user_id AS payee, i.reference
FROM ledger_transfer AS t
LEFT JOIN people AS d ON d.wallet_id = t.debit_account_id
LEFT JOIN people AS c ON c.wallet_id = t.credit_account_id
LEFT JOIN intent_lines AS l ON l.transfer_id = t.id
LEFT JOIN intents AS i ON i.id = l.intent_id
WHERE t.booked_at >= ? ORDER BY t.booked_at, t.journal_id, t.id
"""
_BALANCES = """
SELECT p.user_id, a.credits_posted - a.debits_posted, a.debits_pending FROM ledger_account AS a
JOIN people AS p ON p.wallet_id = a.id
"""
_SUMS = """
SELECT coalesce(sum(debits_posted), 0) - coalesce(sum(credits_posted), 0),
    coalesce(sum(debits_pending), 0) - coalesce(sum(credits_pending), 0) FROM ledger_account
"""


class Books:
    """The books as a stranger with a copy of the file would read them."""

    def __init__(self, path: Path, model: Model) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA query_only = ON")
        self._model = model
        self._seen: set[int] = set()
        self._newest = 0
        self._count = -1

    def take_over(self) -> None:
        """What is booked by now is known to the model already."""
        for row in self.all(_NEW, 0):
            self._seen.add(_int(row[0]))
            self._newest = max(self._newest, _int(row[5]))
        self._count = self.one("SELECT count(*) FROM ledger_transfer")

    def close(self) -> None:
        self._database.close()

    def one(self, sql: str, *values: object) -> int:
        return int(self._database.execute(sql, values).fetchone()[0])

    def all(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        return self._database.execute(sql, values).fetchall()

    def look(self) -> None:
        """After every step that wrote. Raises `Broken`."""
        if self.one("SELECT count(*) FROM inbox WHERE state = 'set_aside'"):
            (reason,) = self.all("SELECT kind || ': ' || reason FROM inbox WHERE state = 'set_aside'")[0]
            raise Broken("nothing that arrived is lost", f"set aside: {reason}")
        count = self.one("SELECT count(*) FROM ledger_transfer")
        if count == self._count:
            return
        self._count = count
        self._take_new()
        self._compare()

    def _take_new(self) -> None:
        rows = [row for row in self.all(_NEW, self._newest) if row[0] not in self._seen]
        payments: dict[str, list[tuple[object, ...]]] = defaultdict(list)
        for row in rows:
            self._seen.add(int(str(row[0])))
            self._newest = max(self._newest, int(str(row[5])))
        for code, group in groupby(rows, key=lambda row: (row[6], row[1])):
            for row in group:
                if code[0] == "payment" and code[1] in ("posted", "pending"):
                    payments[str(row[9])].append(row)
                    continue
                self._flush(payments)
                self._other(row)
        self._flush(payments)

    def _flush(self, payments: dict[str, list[tuple[object, ...]]]) -> None:
        for reference, rows in payments.items():
            if any(row[7] is None or row[8] is None for row in rows):
                raise Broken("every movement has its reason", f"{reference} moves between nobody's wallets")
            lines = [(_int(row[0]), self._who(row[8]), _int(row[2]), row[1] == "pending") for row in rows]
            self._model.moved(reference, self._who(rows[0][7]), lines, _when(rows[0]))
        payments.clear()

    def _other(self, row: tuple[object, ...]) -> None:
        at = _when(row)
        match row[1]:
            case "post":
                self._model.claimed(_int(row[3]), _int(row[0]), at)
            case "void":
                self._model.voided(_int(row[3]), at)
            case "expire":
                self._model.ran_out(_int(row[3]), at)
            case "posted" if row[6] == "refund":
                self._model.refunded(_int(row[4]), _int(row[2]), at)
            case "posted" if row[4] is not None:
                self._model.returned(_int(row[4]), at)
            case "posted" if row[6] in {"fund", "made_good"}:
                self._model.moved_by_admins(str(row[6]), self._who(row[8]), _int(row[2]))
            case "posted" if row[6] == "payout":
                self._model.moved_by_admins("payout", self._who(row[7]), -_int(row[2]))
            case "posted" if row[6] == "operator_fund" and row[7] is row[8] is None:
                pass
            case "posted" if row[6] == "test_money":
                self._model.funded(_int(row[8]), _int(row[2]))
            case _:
                raise Broken("every movement has its reason", f"nobody asked for {row}")

    def _who(self, user: object) -> int:
        """Whose wallet it was: somebody who was erased in the same step has a stand-in there by now."""
        found = self.all("SELECT left_id FROM erasures WHERE id = ? AND left_id IS NOT NULL", user)
        return _int(found[0][0]) if found and _int(user) < 0 else _int(user)

    def _compare(self) -> None:
        if self.all(_SUMS)[0] != (0, 0):
            raise Broken("money is neither made nor lost", str(self.all(_SUMS)))
        for user, posted, held in self.all(_BALANCES):
            owns, aside = self._model.posted[_int(user)], self._model.set_aside[_int(user)]
            if (posted, held) != (owns, aside):
                raise Broken(
                    "everybody owns what they should",
                    f"{user} has {posted} (held {held}), and should have {owns} (held {aside})",
                )
            if _int(posted) - _int(held) < 0:
                raise Broken("no wallet goes below zero", f"{user} has {posted}, of which {held} are held")


def _int(value: object) -> int:
    return int(str(value))


def _when(row: tuple[object, ...]) -> datetime:
    return instant_of(_int(row[5]))
