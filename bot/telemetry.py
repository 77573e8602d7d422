"""Logs: one line an event, as text on a terminal or as JSON. No personal text, no code, no secret is ever given to it."""

import logging
import sys
from collections.abc import Sequence

import structlog
from structlog.typing import Processor

QUIET = (
    "apscheduler",
    "httpx",
    "oauthlib",
    "requests_oauthlib",
    "sqlalchemy",
    "tweepy",
    "urllib3",
    "uvicorn",
)
"""Libraries whose chatter is kept at warnings: tweepy's debug log prints the bearer token."""


def configure(*, log_format: str, level: str) -> None:
    """Called once, by the command that runs; a library that is only imported logs nothing."""
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            exception_formatter=structlog.dev.plain_traceback,  # the richer ones show every local variable
        )
    )
    processors: Sequence[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        *([structlog.processors.format_exc_info] if log_format == "json" else []),
        renderer,
    ]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
