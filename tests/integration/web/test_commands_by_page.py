"""What an admin can do by command can be done on a page, and the other way round, but for what is said to be otherwise."""

import re
from pathlib import Path
from typing import Any

import typer

from bot.cli import app
from tests.integration.web.test_admin_roles import table

DOCUMENT = Path(__file__).parents[3] / "docs" / "operating" / "pages-admin.md"
BY_PAGE = {
    "status": "GET ",
    "usage": "GET /usage",
    "audit": "GET /audit",
    "payment show": "GET /payments/{reference}",
    "payment find": "GET /payments/found",
    "payment refund": "POST /payments/{reference}/refund",
    "member find": "GET /members",
    "member show": "GET /members/{user_id}",
    "member limits": "GET /members/{user_id}",
    "member data": "POST /members/{user_id}/data",
    "member note": "POST /members/{user_id}/note",
    "member freeze": "POST /members/{user_id}/freeze",
    "member thaw": "POST /members/{user_id}/thaw",
    "member tier": "POST /members/{user_id}/tier",
    "member unlock": "POST /members/{user_id}/unlock",
    "member end-factor": "POST /members/{user_id}/end-factor",
    "member fund": "POST /proposals/fund",
    "member payout": "POST /proposals/payout",
    "operator fund": "POST /proposals/operator-fund",
    "proposals list": "GET /proposals",
    "proposals approve": "POST /proposals/{proposal_id}/approve",
    "proposals refuse": "POST /proposals/{proposal_id}/refuse",
    "reviews list": "GET /reviews",
    "reviews release": "POST /reviews/{reference}/release",
    "reviews refuse": "POST /reviews/{reference}/refuse",
    "inbox list": "GET /inbox",
    "inbox show": "GET /inbox/{row_id}",
    "inbox retry": "POST /inbox/{row_id}/retry",
    "inbox drop": "POST /inbox/{row_id}/drop",
    "outbox list": "GET /outbox",
    "outbox show": "GET /outbox/{row_id}",
    "outbox retry": "POST /outbox/{row_id}/retry",
    "outbox drop": "POST /outbox/{row_id}/drop",
    "bank import": "POST /bank/import",
    "bank lines": "GET /bank",
    "bank match": "POST /bank/{line_id}/match",
    "bank ignore": "POST /bank/{line_id}/ignore",
    "bank reconcile": "GET /bank/balance",
    "top-up list": "GET /top-ups",
    "top-up movements": "GET /top-ups/movements",
    "top-up close": "POST /top-ups/{reference}/close",
    "ledger accounts": "GET /ledger",
    "ledger history": "GET /ledger/transfers",
    "ledger statement": "GET /ledger/{account_id}/statement",
    "ledger trial-balance": "GET /ledger/totals",
    "ledger clearing": "GET /ledger/totals",
    "ledger coverage": "GET /ledger/totals",
    "ledger prove": "GET /payments/{reference}/proof",
    "pause": "POST /switches/{part}/pause",
    "resume": "POST /switches/{part}/resume",
    "reconcile": "POST /restored/done",
    "wind-down": "POST /switches/wind-down/begin",
    "admin list": "GET /admins",
    "admin add": "POST /admins",
    "admin invite": "POST /admins/{name}/invite",
    "admin role": "POST /admins/{name}/role",
    "admin end": "POST /admins/{name}/end",
}
BESIDE = {
    "GET /payments",  # the newest, and the way to one or to somebody
    "GET /live",  # the overview's own renewal
    "GET /runbook",  # a document
    "GET /bank/import",  # the form
    "GET /ledger/{account_id}",  # `ledger history ACCOUNT`
    "GET /proposals/{proposal_id}",  # a line of `proposals list`
    "GET /restored",  # `reconcile` without --done
    "GET /switches",  # in `status`
    "POST /switches/wind-down/end",  # `wind-down --end`
}
"""Routes that no command is named for."""


def commands() -> set[str]:
    """Every command there is, by its whole name."""

    def below(command: Any, name: str) -> "set[str]":
        inner = getattr(command, "commands", None)
        if inner is None:
            return {name}
        return {found for each, one in inner.items() for found in below(one, f"{name} {each}".strip())}

    return below(typer.main.get_command(app), "")


def alone() -> "set[str]":
    """Those the document says are for the machine itself."""
    listed = DOCUMENT.read_text(encoding="utf-8").partition("## By command alone")[2].partition("\n## ")[0]
    return {
        name
        for cell in re.findall(r"^\| (.*?) \|", listed, re.MULTILINE)
        for name in re.findall(r"`smoney ([a-z -]+)`", cell)
    }


def routes(served: Any) -> "set[str]":
    return {
        f"{'POST' if hasattr(entry, 'act') else 'GET'} "
        + re.sub(r"^/switches/(payments|sends)", "/switches/{part}", entry.path)
        for entry in table(served)
    }


def test_every_command_has_its_page_or_is_said_to_have_none():
    assert len(alone()) > 10
    assert commands() == BY_PAGE.keys() | alone()
    assert BY_PAGE.keys() & alone() == set()


def test_every_page_has_its_command(served_on_sqlite):
    found = routes(served_on_sqlite)
    assert set(BY_PAGE.values()) <= found
    assert found == set(BY_PAGE.values()) | BESIDE
