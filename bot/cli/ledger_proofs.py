"""`smoney ledger seal`, `prove` and `check-proof`: evidence that the book is as it was."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli.common import EXIT_BROKEN, AsJson, EnvFile, open_book, say, sentences, tell

Out = Annotated[Path | None, typer.Option("--out", "-o", help="Write to this file instead of the terminal.")]


def seal(env: EnvFile = None, as_json: AsJson = False) -> None:
    """Seal all transfers older than 90 seconds that are not sealed yet. The daemon does it by itself."""
    from bot.sealing import seal as make_seals
    from bot.wiring import utc_now

    with open_book(env) as (settings, database):
        made = make_seals(database, settings, utc_now)
    if as_json:
        for one in made:
            typer.echo(json.dumps({"seal": one.number, "transfers": one.transfers, "root": one.root}))
        return
    for one in made:
        say("", f"seal {one.number}: {one.transfers} transfers, root {one.root}")
    if not made:
        say("", "Nothing to seal: every transfer older than 90 seconds is sealed.")


def prove(
    reference: Annotated[str, typer.Argument(help="A payment's reference, or a transfer's id.")],
    out: Out = None,
    env: EnvFile = None,
    as_json: AsJson = False,
) -> None:
    """Prove that a payment stands in the sealed book: a small JSON file that anybody can check.

    Example: smoney ledger prove P-7K3F9Q --out payment.json
    """
    from bot.ledger_files import proof_file, proofs, whole_text

    with open_book(env) as (_, database):
        found = proofs(database, reference)
        text = proof_file(found)
        if out is None:
            typer.echo(text, nl=False)
            return
        with whole_text(out) as file:
            file.write(text)
    told = f"{len(found)} transfer{'s' if len(found) > 1 else ''} proved in {out}."
    tell(told, as_json=as_json, file=str(out), transfers=len(found))


def check_proof(
    file: Annotated[Path, typer.Argument(help="The proof, as `smoney ledger prove` wrote it.")],
    key: Annotated[
        str, typer.Option("--key", help="The public key: 64 hex digits, from `smoney keys public`.")
    ],
    as_json: AsJson = False,
) -> None:
    """Check a proof with the public key alone: no database, no settings. Exit code 3 if it proves nothing.

    Example: smoney ledger check-proof payment.json --key 8f1c...
    """
    from bot.errors import Misconfigured
    from bot.sealing import public_key_of
    from ledger.errors import ProofInvalid
    from ledger.seals import check_proof as check

    with sentences():
        public = public_key_of(key, setting="--key")
        try:
            given: Any = json.loads(file.read_text(encoding="utf-8"))
        except ValueError:
            raise Misconfigured(
                str(file), "is no JSON.", example="a file that `smoney ledger prove` wrote"
            ) from None
        several = given.get("proofs") if isinstance(given, dict) else None
        each = several if isinstance(several, list) and several else [given]
        try:
            proved = [dict(check(one, public)) for one in each]
        except ProofInvalid as wrong:
            say("[red]Proves nothing.[/red] ", str(wrong), err=True)
            raise typer.Exit(EXIT_BROKEN) from None
    for transfer in proved:
        if as_json:
            typer.echo(json.dumps(transfer))
        else:
            say("[green]Proved.[/green] ", _told(transfer))


def _told(transfer: dict[str, Any]) -> str:
    from datetime import UTC, datetime

    from ledger.money import decimal_text

    at = datetime.fromtimestamp(transfer["booked_at"] / 1_000_000, UTC).isoformat(timespec="seconds")
    amount = decimal_text(transfer["amount_minor"], transfer["exponent"])
    return (
        f"transfer {transfer['id']} ({transfer['kind']} {transfer['code']}): {amount} {transfer['currency']} "
        f"from account {transfer['debit_account_id']} to account {transfer['credit_account_id']}, booked {at}"
    )


def add_to(app: typer.Typer) -> None:
    app.command("seal")(seal)
    app.command("prove")(prove)
    app.command("check-proof")(check_proof)
