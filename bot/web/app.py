"""The application: every route, the shield around them, and our own pages for what goes wrong."""

from collections.abc import Sequence
from pathlib import Path

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from bot.settings import Settings
from bot.web import public, webhook
from bot.web.admin.site import add_admin_pages
from bot.web.forms import ForeignForm
from bot.web.me.control import ControlPages
from bot.web.me.entry import EntryPages, sign_in_page
from bot.web.me.factor import FactorPages
from bot.web.me.home import HomePages
from bot.web.me.seats import NotSignedIn, Seats, TooOften
from bot.web.me.top_up import TopUpPages
from bot.web.metrics import Source
from bot.web.shield import Shield
from bot.web.site import Site, site_of
from bot.wiring import Bot
from ledger.clock import Entropy

log = structlog.get_logger(__name__)

_SAYS = {
    403: "error_refused",
    404: "error_missing",
    405: "error_missing",
    429: "error_busy",
    503: "error_fault",
}


def build_app(bot: Bot, settings: Settings, *, entropy: Entropy, sources: Sequence[Source] = ()) -> ASGIApp:
    """All pages of this bot. `sources` are further figures for Prometheus."""
    site = site_of(bot, settings, entropy, sources)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.router.routes += public.routes(site).routes  # `include_router` would make each of them once more
    app.router.routes += webhook.routes(site).routes
    seats = Seats(site)
    app.state.site = site
    for group in (EntryPages, HomePages, FactorPages, ControlPages, TopUpPages):
        app.router.routes += group(site).routes().routes
    add_admin_pages(app, site)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"))
    _own_error_pages(app, site, seats)
    return Shield(app, rates=site.rates, hosts=site.hosts, https=site.https)


def _own_error_pages(app: FastAPI, site: Site, seats: Seats) -> None:
    def page(request: Request, status: int, phrase: str) -> Response:
        return site.pages.show(request, "error.html", status=status, phrase=phrase)

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        return page(request, error.status_code, _SAYS.get(error.status_code, "error_missing"))

    @app.exception_handler(RequestValidationError)
    async def unknown(request: Request, _: RequestValidationError) -> Response:
        """A part of the path or of the query that names nothing there can be."""
        return page(request, 404, "error_missing")

    @app.exception_handler(NotSignedIn)
    async def not_signed_in(request: Request, _: NotSignedIn) -> Response:
        return await run_in_threadpool(sign_in_page, site, seats, request)

    @app.exception_handler(TooOften)
    async def too_often(request: Request, _: TooOften) -> Response:
        return page(request, 429, "error_busy")

    @app.exception_handler(ForeignForm)
    async def foreign(request: Request, _: ForeignForm) -> Response:
        return page(request, 403, "error_refused")

    @app.exception_handler(Exception)
    async def fault(request: Request, error: Exception) -> Response:
        log.error("web.fault", exc_info=error)
        return page(request, 500, "error_fault")
