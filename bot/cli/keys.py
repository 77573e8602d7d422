"""`smoney keys`: the master keys."""

import os

import typer

from bot.cli.common import EnvFile, open_book, sentences

app = typer.Typer(no_args_is_help=True, help="The master keys.")


@app.command("generate")
def keys_generate() -> None:
    """Print a new master key, ready for SMONEY_KEYS."""
    from bot.keys import generate

    typer.echo(generate(os.urandom))


@app.command("rotate")
def keys_rotate(env: EnvFile = None) -> None:
    """Seal all that is encrypted anew under the current key (the first of SMONEY_KEYS); the bot may run meanwhile.

    Stopped half way, it goes on where it stopped. Older keys stay on the ring: they still check what they authorised.
    """
    from bot.cli.rotating import rotate

    with open_book(env) as (settings, database):
        rotate(settings, database)


@app.command("backup")
def keys_backup() -> None:
    """Print a new pair of keys for backups: the private one opens them, and belongs on no machine that runs the bot."""
    from bot.keeping.parcel import new_key

    private, public = new_key()
    typer.echo(f"# Keep this line in a file apart from the backups: it alone opens them.\n{private}")
    typer.echo(f"# Put this one into SMONEY_BACKUP_RECIPIENT:\n# {public}")


@app.command("webhook")
def keys_webhook(env: EnvFile = None) -> None:
    """Print the key, in hex, with which alarms posted to SMONEY_ALARM_WEBHOOK_URL are signed: for who listens there."""
    from bot.keys import Purpose, keyring_from
    from bot.settings import load

    with sentences():
        typer.echo(keyring_from(load(env)).derive(Purpose.ALARM_WEBHOOK).hex())


@app.command("public")
def keys_public(env: EnvFile = None) -> None:
    """Print the public keys of the ledger's seals, the current one first: to be handed out to whoever checks proofs."""
    from bot.sealing import public_keys
    from bot.settings import load

    with sentences():
        for key in public_keys(load(env)):
            typer.echo(key.public_bytes_raw().hex())
