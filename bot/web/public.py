"""What anybody may see: whether it is up, and how to get help. And what machines ask: health, readiness, figures."""

from fastapi import APIRouter, Request
from sqlalchemy import text
from starlette.responses import PlainTextResponse, Response

from bot.store.switches import Switch
from bot.watching.figures import Figures
from bot.web.metrics import exposition
from bot.web.shield import is_near
from bot.web.site import Site
from bot.work import THE_DATABASE

OPEN_METRICS = "text/plain; version=0.0.4; charset=utf-8"


def routes(site: Site) -> APIRouter:
    router = APIRouter()
    router.routes += _of_machines(site).routes

    @router.get("/")
    def front() -> Response:
        return Response(status_code=302, headers={"location": "/status"})

    @router.get("/status")
    def status(request: Request) -> Response:
        figures, operator = site.gauges.figures(), site.settings.operator_name
        verdict = _verdict(figures)
        return site.pages.show(request, "status.html", figures=figures, verdict=verdict, operator=operator)

    @router.get("/topped-up")
    def topped_up(request: Request, turned: str = "") -> Response:
        """Where the processor's page sends people when they are done, and when they turn back. It knows nothing of them."""
        return site.pages.show(request, "topped_up.html", turned_back=turned == "back")

    return router


def _of_machines(site: Site) -> APIRouter:
    router = APIRouter()

    @router.get("/healthz")
    def health() -> PlainTextResponse:
        """The process answers."""
        return PlainTextResponse("ok\n")

    @router.get("/readyz")
    def ready() -> PlainTextResponse:
        """It can do its work: the database answers, and X was read not long ago."""
        try:
            site.bot.database.read(lambda session: session.connection().execute(text("SELECT 1")).scalar())
        except THE_DATABASE:
            return PlainTextResponse("the database does not answer\n", 503)
        figures = site.gauges.figures()
        if not figures.listens:
            return PlainTextResponse("X was not read for a while\n", 503)
        if not figures.works:
            return PlainTextResponse("what arrived is not worked\n", 503)
        return PlainTextResponse("ok\n")

    @router.get("/metrics")
    def metrics(request: Request) -> Response:
        """For the operator's own machines only."""
        if not is_near(request.scope):
            return PlainTextResponse("Not for you.", 403)
        return Response(exposition(site.bot, site.gauges, site.sources), media_type=OPEN_METRICS)

    return router


def _verdict(figures: Figures) -> str:
    """The phrase for how things are; the one that concerns people most comes first."""
    if Switch.PAYMENTS_PAUSED in figures.halted:
        return "status_paused"
    if Switch.WINDING_DOWN in figures.halted:
        return "status_closing"
    return "status_well" if figures.is_well else "status_slow"
