"""Templates: rendered with everything escaped, in the language of who looks."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import cache
from typing import Any

from fastapi import Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from bot.language.lexicon import language_files
from bot.language.voice import say_on_page
from bot.web.forms import FIELD, Forms


@cache
def environment() -> Environment:
    return Environment(
        loader=PackageLoader("bot.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@dataclass(frozen=True, slots=True)
class Pages:
    forms: Forms
    bot_username: str
    language: str
    time_zone: tzinfo
    version: str = field(default="1")

    def show(
        self,
        request: Request,
        template: str,
        *,
        status: int = 200,
        language: str | None = None,
        time_zone: tzinfo | None = None,
        **values: Any,
    ) -> HTMLResponse:
        spoken = language or self.language_of(request)
        given = {
            "say": self.sayer(spoken, time_zone or self.time_zone),
            "language": spoken,
            "bot": self.bot_username,
            "form_field": FIELD,
            "form_token": self.forms.token(request),
            "version": self.version,
            **values,
        }
        response = HTMLResponse(environment().get_template(template).render(given), status)
        self.forms.remember(request, response)
        return response

    def sayer(self, language: str, time_zone: tzinfo) -> Callable[..., str]:
        def said(phrase: str, **parameters: Any) -> str:
            return say_on_page(phrase, language=language, parameters=parameters, time_zone=time_zone)

        return said

    def language_of(self, request: Request) -> str:
        """The first language the browser asks for that we speak."""
        wanted = (
            part.partition(";")[0].strip() for part in request.headers.get("accept-language", "").split(",")
        )
        known = language_files()
        return next((short for each in wanted if (short := each[:2].lower()) in known), self.language)
