"""`smoney backup`, `restore` and `reconcile`: the book is kept, comes back, and comes to terms with X."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.common import EXIT_BROKEN, AsJson, EnvFile, open_book, print_table, say, sentences, tell
from bot.cli.progress import progress_bar

if TYPE_CHECKING:
    from bot.keeping.reconciling import Standing
    from bot.keeping.restoring import Restored

Reason = Annotated[str, typer.Option("--reason", help="Why, for the audit log.")]


def backup(
    to: Annotated[
        Path | None,
        typer.Argument(
            help="A new file, or a folder. Without it: the folder `backups` in the home directory."
        ),
    ] = None,
    env: EnvFile = None,
    as_json: AsJson = False,
) -> None:
    """Back up the book while the bot runs, encrypted to the public key in SMONEY_BACKUP_RECIPIENT.

    Example: smoney backup /mnt/backups
    """
    from bot.keeping.backing_up import back_up
    from bot.wiring import utc_now

    with open_book(env) as (settings, database):
        folder = settings.home / "backups"
        if to is None:
            folder.mkdir(mode=0o700, exist_ok=True)
        file = to or folder
        if file.is_dir():
            file /= f"smoney-{utc_now():%Y%m%dT%H%M%SZ}.age"
        manifest = back_up(database, settings, utc_now, file)
    if as_json:
        from dataclasses import asdict

        typer.echo(json.dumps({"file": str(file), **asdict(manifest)}))
        return
    seal = manifest.contents.last_seal
    say("", f"{file}: {manifest.contents.counts['ledger_transfer']} transfers, "
        + (f"sealed up to seal {seal['number']}." if seal else "not sealed yet."))  # fmt: skip


def restore(
    file: Annotated[Path, typer.Argument(help="The backup.")],
    key: Annotated[Path, typer.Option("--key", help="The file with the private key, AGE-SECRET-KEY-1...")],
    reason: Reason,
    env: EnvFile = None,
    as_json: AsJson = False,
) -> None:
    """Restore a backup into an empty place and verify it. Payments stay paused until `smoney reconcile`.

    Exit code 3 if what was restored does not hold. Example: smoney restore smoney-20261126.age --key backup.key --reason "disk lost"
    """
    from bot.admin.acts import Role
    from bot.admin.admins import who_types
    from bot.admin.log import Actor
    from bot.admin.office import open_office
    from bot.keeping.restoring import restore as bring_back
    from bot.running import one_daemon
    from bot.settings import load
    from bot.wiring import existing_database, utc_now

    with sentences():
        settings = load(env)
        with one_daemon(settings), progress_bar("verifying") as progress:
            restored = bring_back(settings, utc_now, file, key, progress=progress)
        database = existing_database(settings)
        facts: dict[str, str | int] = {
            "made_at": restored.manifest.made_at,
            "findings": len(restored.findings),
        }
        office = open_office(settings)
        # It is done, and is written down whatever the book says of them: they held the private key and the empty place.
        name = database.read(lambda session: who_types(session, unknown=Role.OWNER)).name
        actor = Actor(name, Role.OWNER)
        database.write(
            lambda session: office.log.record(
                session, actor, "book.restore", "book", reason=reason, facts=facts
            )
        )
        database.close()
    _show_restored(restored, as_json=as_json)
    if restored.findings:
        raise typer.Exit(EXIT_BROKEN)


def _show_restored(restored: "Restored", *, as_json: bool) -> None:
    made_at = restored.manifest.made_at
    if as_json:
        told = {"made_at": made_at, "findings": list(restored.findings), "left": list(restored.left)}
        typer.echo(json.dumps(told | {"forgotten": restored.forgotten}))
        return
    for left in restored.left:
        say("[yellow]LOOK[/yellow] ", left)
    if restored.forgotten:
        say("", f"{restored.forgotten} people were erased since that backup, and are again.")
    for finding in restored.findings:
        say("[red]BROKEN[/red] ", finding)
    if not restored.findings:
        say("", f"The book is as it was at {made_at}, and all holds. Payments are paused: start the daemon, which only "
            "listens now, and see `smoney reconcile`.")  # fmt: skip


def reconcile(
    done: Annotated[
        bool, typer.Option("--done", help="Let payments go on, and tell people what was lost.")
    ] = False,
    reason: Annotated[str, typer.Option("--reason", help="Why, for the audit log; needed with --done.")] = "",
    env: EnvFile = None,
    as_json: AsJson = False,
) -> None:
    """After a restore: hold what X still has against the book; with --done let payments go on.

    Example: smoney reconcile, then smoney reconcile --done --reason "looked through the list"
    """
    from bot.admin.admins import who_types
    from bot.admin.office import open_office
    from bot.auditing import verify
    from bot.keeping.reconciling import Reconciling
    from bot.wiring import utc_now
    from bot.x.tweepy_gateway import TweepyGateway

    with open_book(env) as (settings, database):
        gateway = TweepyGateway(
            settings.x_credentials(),
            clock=utc_now,
            base_url=settings.x_base_url,
            timeout_seconds=settings.x_timeout_seconds,
        )
        office = open_office(settings)
        reconciling = Reconciling(database, gateway, office.outbox, office.log, utc_now)
        standing = reconciling.look()
        if standing is None:
            tell(
                "Nothing to reconcile: this book was not restored, or was reconciled before.", as_json=as_json
            )
            return
        _show_standing(standing, as_json=as_json)
        if not done:
            return
        findings = verify(database, settings).findings
        for finding in findings:
            say("[red]BROKEN[/red] ", finding, err=True)
        if findings:
            raise typer.Exit(EXIT_BROKEN)
        told = reconciling.finish(database.read(who_types), standing, reason=reason)
    tell(f"Payments go on. {told} messages tell people what was lost.", as_json=as_json)


def _show_standing(standing: "Standing", *, as_json: bool) -> None:
    rows: list[dict[str, object]] = [
        {
            "reference": one.reference,
            "person": one.person_id or "",
            "said_at": one.said_at.isoformat(timespec="seconds"),
        }
        for one in standing.lost
    ]
    read = {name: at.isoformat(timespec="seconds") if at else None for name, at in standing.read_at.items()}
    if as_json:
        made_at = standing.made_at.isoformat()
        typer.echo(
            json.dumps({"made_at": made_at, "read_at": read, "waiting": standing.waiting, "lost": rows})
        )
        return
    say(
        "",
        f"The book is as it was at {standing.made_at.isoformat(timespec='seconds')}. {standing.waiting} rows wait.",
    )
    for name, at in read.items():
        say(
            "",
            f"{name}: read to the end at {at}" if at else f"{name}: not read since; is the daemon running?",
        )
    if rows:
        say("", "People were told of these, and they are not in the book:")
        print_table(rows, as_json=False)
    else:
        say("", "Nothing that people were told of is missing.")


def add_to(app: typer.Typer, panel: str) -> None:
    app.command("backup", rich_help_panel=panel)(backup)
    app.command("restore", rich_help_panel=panel)(restore)
    app.command("reconcile", rich_help_panel=panel)(reconcile)
