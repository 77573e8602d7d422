"""Webhooks: the bodies X pushes, and its challenge of the address; and what the processor of cards pushes. Answered 200 only
once it is written down."""

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, PlainTextResponse, Response

from bot.funding.processor import NotFromProcessor
from bot.web.site import Site
from bot.x.pushes import NotFromX

PATH = "/webhooks/x"
SIGNATURE = "x-twitter-webhooks-signature"
OF_CARDS = "/webhooks/cards"
SIGNATURE_OF_CARDS = "stripe-signature"


def routes(site: Site) -> APIRouter:
    router, pushes = APIRouter(), site.bot.pushes

    @router.get(PATH)
    def challenged(crc_token: str = "") -> Response:
        try:
            return JSONResponse(pushes.crc_response(crc_token))
        except NotFromX:
            return PlainTextResponse("Not a challenge of X's.", 400)

    @router.post(PATH)
    async def pushed(request: Request) -> Response:
        """The raw body, for the signature is over its very bytes. What is raised beside `NotFromX` becomes a 500, and X
        sends it again."""
        body = await request.body()
        try:
            await run_in_threadpool(pushes.receive, body, request.headers.get(SIGNATURE, ""))
        except NotFromX:
            return PlainTextResponse("Not from X.", 403)
        return PlainTextResponse("ok")

    @router.post(OF_CARDS)
    async def charged(request: Request) -> Response:
        """Where cards are taken: what is raised beside `NotFromProcessor` becomes a 500, and it comes again."""
        cashier = site.bot.cashier
        if cashier is None:
            return PlainTextResponse("No cards are taken here.", 404)
        body = await request.body()
        try:
            await run_in_threadpool(cashier.receive, body, request.headers.get(SIGNATURE_OF_CARDS, ""))
        except NotFromProcessor:
            return PlainTextResponse("Not from the processor.", 400)
        return PlainTextResponse("ok")

    return router
