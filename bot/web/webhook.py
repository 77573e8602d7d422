"""X's webhook: the bodies X pushes, and its challenge of the address. Answered 200 only once the inbox has it."""

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, PlainTextResponse, Response

from bot.web.site import Site
from bot.x.pushes import NotFromX

PATH = "/webhooks/x"
SIGNATURE = "x-twitter-webhooks-signature"


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

    return router
