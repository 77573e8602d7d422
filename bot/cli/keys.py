"""`smoney keys`: the master keys."""

import os

import typer

app = typer.Typer(no_args_is_help=True, help="The master keys.")


@app.command("generate")
def keys_generate() -> None:
    """Print a new master key, ready for SMONEY_KEYS."""
    from bot.keys import generate

    typer.echo(generate(os.urandom))
