"""Forms that only our own pages can send.

Each browser holds a random value in a cookie that is sent to nobody else (`SameSite=Strict`), each form a MAC over it;
whoever cannot read our pages cannot make one. Beside it the browser's own word on where a request comes from is heeded.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response

from bot.encoding import encode
from bot.keys import Keyring, Purpose
from ledger.clock import Entropy

FIELD: Final = "form_token"
COOKIE: Final = "smoney_form"
COOKIE_BYTES: Final = 16
Fields = Mapping[str, str]
MOST_FIELDS: Final = 40


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file that came with a form; nothing of what the browser says of it is believed."""

    name: str
    data: bytes


class ForeignForm(Exception):
    """A form that is none of ours, or was sent by another browser than the one it was shown to."""


@dataclass(frozen=True, slots=True)
class Cookies:
    """How our cookies are set: for this host alone, out of a script's reach, over TLS wherever there is any."""

    secure: bool

    def set(self, response: Response, name: str, value: str, *, seconds: int | None = None) -> None:
        response.set_cookie(
            name, value, max_age=seconds, path="/", secure=self.secure, httponly=True, samesite="strict"
        )

    def drop(self, response: Response, name: str) -> None:
        response.delete_cookie(name, path="/", secure=self.secure, httponly=True, samesite="strict")


@dataclass(frozen=True, slots=True)
class Forms:
    keyring: Keyring
    entropy: Entropy
    cookies: Cookies

    def browser(self, request: Request) -> str:
        """The random value of this browser, a new one where it has none; `remember` gives it to the browser."""
        known = request.cookies.get(COOKIE, "")
        if len(known) == COOKIE_BYTES * 2 and known.isascii() and known.isalnum():
            return known
        made: str = getattr(request.state, "browser", "") or self.entropy(COOKIE_BYTES).hex()
        request.state.browser = made
        return made

    def remember(self, request: Request, response: Response) -> None:
        if made := getattr(request.state, "browser", ""):
            self.cookies.set(response, COOKIE, made)

    def token(self, request: Request) -> str:
        """What a form shown to this browser carries."""
        return self._mac(self.browser(request))

    def _mac(self, browser: str) -> str:
        key = self.keyring.derive(Purpose.PAGE_FORM)
        return hmac.new(key, encode("smoney form 1", browser), sha256).hexdigest()

    async def read(self, request: Request) -> Fields:
        """The fields of a form of ours. Raises `ForeignForm`."""
        _check_origin(request)
        form = await request.form(max_files=0, max_fields=MOST_FIELDS)
        return self._fields(request, form)

    async def read_with_file(self, request: Request, field: str, *, most: int) -> tuple[Fields, SentFile]:
        """The fields, and one file with at most `most` bytes of it and one more: who takes it says that it is too large. Empty
        where none came. Raises `ForeignForm`."""
        _check_origin(request)
        async with request.form(max_files=1, max_fields=MOST_FIELDS) as form:
            fields, sent = self._fields(request, form), form.get(field)
            if not isinstance(sent, UploadFile):
                return fields, SentFile("", b"")
            return fields, SentFile(sent.filename or "", await sent.read(most + 1))

    def _fields(self, request: Request, form: FormData) -> Fields:
        fields = {name: value for name, value in form.items() if not isinstance(value, UploadFile)}
        browser = request.cookies.get(COOKIE, "")
        given = fields.get(FIELD, "") or request.headers.get("x-form-token", "")
        if not browser or not hmac.compare_digest(given.encode(), self._mac(browser).encode()):
            raise ForeignForm
        return fields


def _check_origin(request: Request) -> None:
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise ForeignForm
