"""Reads a command line as the program would, without doing anything: what a document shows must be what can be typed."""

import shlex
from typing import Any

import typer

from bot.cli import app

WRONG: type[Exception] = typer.BadParameter.__mro__[1]
"""What is raised for a line that cannot be understood; typer brings it along and gives it no name of its own."""


def refused(line: str) -> str:
    """What the program would say to `smoney ...`; nothing where it is a command with the arguments it takes."""
    try:
        _parse(line)
    except WRONG as problem:
        return str(problem) or "cannot be understood"
    return ""


def _parse(line: str) -> None:
    command: Any = typer.main.get_command(app)
    words = shlex.split(line)[1:]
    context = command.make_context("smoney", list(words))
    while hasattr(command, "resolve_command"):
        name, command, words = command.resolve_command(context, words)
        context = command.make_context(name, list(words), parent=context)
