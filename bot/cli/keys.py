"""`smoney keys`: the master keys. A secret is printed by the command that is there to print it, and by no other."""

import json
import os

import typer

from bot.cli.common import AsJson, EnvFile, open_book, sentences

app = typer.Typer(no_args_is_help=True, help="The master keys.")


@app.command("generate")
def keys_generate(as_json: AsJson = False) -> None:
    """Print a new master key, ready for SMONEY_KEYS.

    Example: smoney keys generate >> /etc/smoney/keys
    """
    from bot.keys import generate

    key = generate(os.urandom)
    typer.echo(json.dumps({"key": key}) if as_json else key)


@app.command("rotate")
def keys_rotate(env: EnvFile = None, as_json: AsJson = False) -> None:
    """Seal all that is encrypted anew under the current key (the first of SMONEY_KEYS); the bot may run meanwhile.

    Stopped half way, it goes on where it stopped. Older keys stay on the ring: they still check what they authorised.
    Exit code 1 where something was left that does not open. Example: smoney keys rotate --json
    """
    from bot.cli.rotating import rotate

    with open_book(env) as (settings, database):
        rotate(settings, database, as_json=as_json)


@app.command("backup")
def keys_backup(as_json: AsJson = False) -> None:
    """Print a new pair of keys for backups: the private one opens them, and belongs on no machine that runs the bot.

    Example: smoney keys backup > backup.key
    """
    from bot.keeping.parcel import new_key

    private, public = new_key()
    if as_json:
        typer.echo(json.dumps({"private": private, "public": public}))
        return
    typer.echo(f"# Keep this line in a file apart from the backups: it alone opens them.\n{private}")
    typer.echo(f"# Put this one into SMONEY_BACKUP_RECIPIENT:\n# {public}")


@app.command("webhook")
def keys_webhook(env: EnvFile = None, as_json: AsJson = False) -> None:
    """Print the key, in hex, with which alarms posted to SMONEY_ALARM_WEBHOOK_URL are signed: for who listens there.

    Example: smoney keys webhook --json
    """
    from bot.keys import keyring_from
    from bot.settings import load
    from bot.watching.webhook import webhook_key

    with sentences():
        key = webhook_key(keyring_from(load(env))).hex()
    typer.echo(json.dumps({"key": key}) if as_json else key)


@app.command("public")
def keys_public(env: EnvFile = None, as_json: AsJson = False) -> None:
    """Print the public keys of the ledger's seals, the current one first: to be handed out to whoever checks proofs.

    Example: smoney keys public --json
    """
    from bot.sealing import public_keys
    from bot.settings import load

    with sentences():
        keys = [key.public_bytes_raw().hex() for key in public_keys(load(env))]
    for key in keys:
        typer.echo(json.dumps({"public_key": key, "current": key == keys[0]}) if as_json else key)
