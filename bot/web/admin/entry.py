"""Coming in and going out: an invite's word, sign-in, sign-out. The only pages of the admins that need nobody signed in."""

import asyncio
import time
from functools import partial
from typing import Final

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from bot.admin.entry import Problem
from bot.web.admin import seats
from bot.web.admin.house import House
from bot.web.admin.routes import PREFIX
from bot.web.admin.seats import Form
from bot.web.qr import qr_of

ANSWERS_AFTER_SECONDS: Final = 0.5
"""No wrong sign-in is answered sooner: what was wrong is not to be read off a clock."""
LONGEST: Final = 200


class EntryPages:
    def __init__(self, house: House) -> None:
        self.house, self.entry, self.cookies = house, house.entry, house.site.forms.cookies

    def routes(self) -> APIRouter:
        router = APIRouter(prefix=PREFIX)
        router.add_api_route("/in", self.asked, methods=["GET"])
        router.add_api_route("/in", self.sign_in, methods=["POST"])
        router.add_api_route("/out", self.out, methods=["POST"])
        router.add_api_route("/welcome", self.welcome, methods=["GET"])
        router.add_api_route("/welcome", self.begin, methods=["POST"])
        router.add_api_route("/welcome/done", self.finish, methods=["POST"])
        return router

    def asked(self, request: Request) -> Response:
        return self.house.show(request, "admin/sign_in.html", wrong=False)

    async def sign_in(self, request: Request, form: Form) -> Response:
        seats.counts_try(self.house, request)
        began = time.monotonic()
        name, password, code = (form.get(field, "")[:LONGEST] for field in ("name", "password", "code"))
        mark = seats.mark_of(self.house, request)
        sign_in = partial(self.entry.sign_in, name.strip().lower(), password, code, mark=mark)
        secret = await run_in_threadpool(sign_in)
        if secret is not None:
            return await run_in_threadpool(self._in, secret)
        await asyncio.sleep(max(0.0, began + ANSWERS_AFTER_SECONDS - time.monotonic()))
        return self.house.show(request, "admin/sign_in.html", wrong=True, status=403)

    def _in(self, secret: str) -> Response:
        response = RedirectResponse(PREFIX, 303)
        seats.give(self.house, response, secret)
        return response

    def out(self, request: Request, _form: Form) -> Response:
        if secret := request.cookies.get(seats.COOKIE, ""):
            self.entry.sign_out(secret)
        response = RedirectResponse(f"{PREFIX}/in?said=signed_out", 303)
        seats.take_away(self.cookies, response)
        return response

    def welcome(self, request: Request) -> Response:
        return self.house.show(request, "admin/welcome.html", stale=False)

    def begin(self, request: Request, form: Form) -> Response:
        """Shows the app's secret, once: whoever loads this again begins again."""
        seats.counts_try(self.house, request)
        word = form.get("word", "")[:LONGEST]
        begun = self.entry.begin(word)
        if begun is None:
            return self.house.show(request, "admin/welcome.html", stale=True, status=403)
        return self.house.show(
            request, "admin/set_up.html", word=word, begun=begun, picture=qr_of(begun.uri), problem=None
        )

    def finish(self, request: Request, form: Form) -> Response:
        seats.counts_try(self.house, request)
        word, code = form.get("word", "")[:LONGEST], form.get("code", "")[:LONGEST]
        done = self.entry.finish(word, form.get("password", ""), code)
        if isinstance(done, str):
            return self._in(done)
        if done is Problem.STALE:
            return self.house.show(request, "admin/welcome.html", stale=True, status=403)
        return self.house.show(
            request,
            "admin/set_up.html",
            word=word,
            begun=None,
            picture=None,
            problem=done.name.lower(),
            status=403,
        )
