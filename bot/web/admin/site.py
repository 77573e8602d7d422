"""All pages of the admins in one place, and what is answered when something is not allowed, not known or not there."""

from fastapi import FastAPI, Request
from starlette.responses import RedirectResponse, Response

from bot.admin.acts import NotAllowed
from bot.admin.passwords import TooManyAtOnce
from bot.errors import Misconfigured
from bot.payments.refunding import CannotRefund
from bot.web.admin.admins import AdminPages
from bot.web.admin.audit import AuditPages
from bot.web.admin.bank import BankPages
from bot.web.admin.entry import EntryPages
from bot.web.admin.house import LANGUAGE, House, house_of, words_of
from bot.web.admin.ledger import LedgerPages
from bot.web.admin.members import MemberPages
from bot.web.admin.overview import OverviewPages
from bot.web.admin.payments import PaymentPages
from bot.web.admin.proposals import ProposalPages
from bot.web.admin.queues import QueuePages
from bot.web.admin.restored import RestoredPages
from bot.web.admin.reviews import ReviewPages
from bot.web.admin.routes import PREFIX, Does, Looks, router_of
from bot.web.admin.runbook import RunbookPages
from bot.web.admin.seats import LIVE, NotIn
from bot.web.admin.switches import SwitchPages
from bot.web.admin.top_ups import TopUpPages
from bot.web.admin.usage import UsagePages
from bot.web.site import Site
from ledger.errors import NotSealed, UnknownAccount

SIGN_IN = f"{PREFIX}/in"
GROUPS = (
    OverviewPages,
    RunbookPages,
    PaymentPages,
    MemberPages,
    ReviewPages,
    QueuePages,
    LedgerPages,
    AuditPages,
    AdminPages,
    ProposalPages,
    BankPages,
    TopUpPages,
    SwitchPages,
    RestoredPages,
    UsagePages,
)


def table_of(house: House) -> "list[Looks | Does]":
    """Every route that needs somebody signed in, with its act."""
    return [entry for group in GROUPS for entry in group(house).routes()]


def add_admin_pages(app: FastAPI, site: Site) -> None:
    house = house_of(site)
    app.state.house = house
    app.router.routes += EntryPages(house).routes().routes  # as in `build_app`: each is made once
    app.router.routes += router_of(table_of(house)).routes

    def said(request: Request, status: int, words: str) -> Response:
        actor = getattr(request.state, "actor", None)
        return house.show(request, "admin/problem.html", actor=actor, status=status, words=words)

    @app.exception_handler(NotIn)
    async def not_in(request: Request, _: NotIn) -> Response:
        """What a page asks for by itself makes the whole page go to the sign-in."""
        if LIVE in request.headers:
            return Response(status_code=401, headers={"hx-redirect": SIGN_IN})
        return RedirectResponse(SIGN_IN, 303)

    @app.exception_handler(NotAllowed)
    async def not_allowed(request: Request, error: NotAllowed) -> Response:
        return said(request, 403, str(error))

    @app.exception_handler(Misconfigured)
    async def cannot(request: Request, error: Misconfigured) -> Response:
        if not request.url.path.startswith(PREFIX):  # nobody else is told of settings
            raise error
        return said(request, 400, words_of(error))

    async def not_now(request: Request, error: Exception) -> Response:
        return said(request, 404 if isinstance(error, UnknownAccount) else 400, f"{str(error).rstrip('.')}.")

    for kind in (CannotRefund, NotSealed, UnknownAccount):
        app.add_exception_handler(kind, not_now)

    @app.exception_handler(TooManyAtOnce)
    async def too_many(request: Request, _: TooManyAtOnce) -> Response:
        return site.pages.show(request, "error.html", status=429, phrase="error_busy", language=LANGUAGE)
