"""X's published description as a judge: every answer of a served sandbox is held against it.

As published the description is lax (no field is required, unknown keys pass), so it is tightened: a second reading with
unknown keys forbidden, and presence asserted for what every answer has. To be given to `serve(world, observe=...)`.
"""

import copy
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from openapi_schema_validator import OAS30Validator, oas30_format_checker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

from bot.sandbox.x_api import Exchange

DESCRIPTION = Path(__file__).parents[4] / "shared" / "x-api" / "openapi-2.157.json"
Json = dict[str, Any]

ALSO_ALLOWED = {
    "DmEvent": ("entities",),
    "Tweet": ("article", "card_uri", "media_metadata"),
    "User": (
        "confirmed_email",
        "is_identity_verified",
        "parody",
        "subscription",
        "verified_followers_count",
    ),
}
"""In the request's enumerations, absent from the schemas."""
ALSO_ALLOWED_WHEN_CREATED = ("edit_history_tweet_ids",)
_NEWER = {
    "edit_history_post_ids": "edit_history_tweet_ids",
}
UNDECLARED = {("POST", "/2/tweets/search/stream/rules", 201): "200"}
"""Statuses X gives and its description does not have, with the one whose schema fits."""


NO_SUCH_METHOD = "no such method in the description"


OTHERWISE_DOCUMENTED = ("/2/activity/", "/2/webhooks", "/2/oauth2/")
"""Here X's pages and samples differ from its description or stand beside it, and the sandbox follows the pages."""


class Objection(AssertionError):
    """An answer is not what X's description says."""


class Judge:
    """Holds one answer after the other against the description; counts them, so that a test can see it was asked."""

    def __init__(self) -> None:
        self.judged = 0

    def __call__(self, exchange: Exchange) -> None:
        self.judged += 1
        if exchange.path.startswith(OTHERWISE_DOCUMENTED) and exchange.media_type == "application/json":
            return
        body = json.loads(exchange.body)
        problems = [*_against_schema(exchange, body), *_missing(exchange, body)]
        if problems:
            shown = exchange.body.decode()[:500]
            raise Objection(
                f"{exchange.method} {exchange.path} {exchange.status}: {'; '.join(problems)}\n{shown}"
            )


def _against_schema(exchange: Exchange, body: Any) -> Iterator[str]:
    template = _template(exchange.path)
    if template is None:
        if exchange.status < 400:
            yield "no such path in the description"
        return
    for strict in (False, True):
        if strict and exchange.status >= 400:
            continue  # problems may carry more than their schema names
        validator = _validator(
            template, exchange.method.lower(), exchange.status, exchange.media_type, strict
        )
        if isinstance(validator, str):
            if exchange.status < 400 or validator != NO_SUCH_METHOD:
                yield validator
            return
        for error in validator.iter_errors(_older(body)):
            place = "/".join(str(each) for each in error.absolute_path)
            yield f"{'strictly ' if strict else ''}{place}: {error.message[:200]}"


def _missing(exchange: Exchange, body: Json) -> Iterator[str]:
    """What must be there and is required by no schema."""
    if exchange.status >= 400:
        if exchange.media_type != "application/problem+json":
            yield "a problem is not sent as application/problem+json"
        for name in ("title", "detail", "type", "status"):
            if name not in body:
                yield f"a problem without {name}"
        return
    if not body.keys() & {"data", "errors", "meta"}:
        yield "an answer with neither data nor errors nor meta"
    if exchange.path.endswith(("/mentions", "/tweets", "/dm_events")) and exchange.method == "GET":
        yield from _missing_in_a_page(exchange, body)
    if "/tweets" in exchange.path or exchange.path.endswith("/mentions"):
        yield from _missing_in_posts(exchange, body)


def _missing_in_a_page(exchange: Exchange, body: Json) -> Iterator[str]:
    if exchange.path == "/2/tweets":
        return
    if "meta" not in body and "errors" not in body:
        yield "a page without meta"
        return
    count = body.get("meta", {}).get("result_count")
    if "meta" in body and count != len(body.get("data", [])):
        yield f"result_count is {count}"
    ids = [int(each["id"]) for each in body.get("data", [])]
    if ids != sorted(ids, reverse=True):
        yield "a page that is not newest first"
    if (
        ids
        and "newest_id" in body["meta"]
        and [body["meta"][name] for name in ("newest_id", "oldest_id")]
        != [
            str(ids[0]),
            str(ids[-1]),
        ]
    ):
        yield "newest_id or oldest_id is wrong"


def _missing_in_posts(exchange: Exchange, body: Json) -> Iterator[str]:
    if "rules" in exchange.path or "deleted" in (body.get("data") or {}):
        return
    data = body.get("data", [])
    wanted = {"id", "text"} | _asked_fields(exchange)
    for post in [*(data if isinstance(data, list) else [data]), *body.get("includes", {}).get("tweets", [])]:
        post = _older(post)  # noqa: PLW2901 - read by its older names from here on
        for name in wanted | {"edit_history_tweet_ids"}:
            if name not in post:
                yield f"a post without {name}"
        for mention in post.get("entities", {}).get("mentions", []):
            shown = post["text"][mention["start"] : mention["end"]]
            if "id" not in mention or shown[1:].lower() != mention["username"].lower():
                yield f"a mention that points at {shown!r}"


_ALWAYS_KNOWN = {"author_id", "conversation_id", "created_at", "lang", "display_text_range", "public_metrics"}


def _asked_fields(exchange: Exchange) -> set[str]:
    """The fields every post has and this request asked for."""
    if exchange.method != "GET":
        return set()
    asked = exchange.query.get("tweet.fields", exchange.query.get("post.fields", ""))
    return set(asked.split(",")) & _ALWAYS_KNOWN


def _older(body: Any) -> Any:
    """The same with the older names: the description knows no others."""
    if isinstance(body, dict):
        return {_NEWER.get(name, name): _older(value) for name, value in body.items()}
    return [_older(each) for each in body] if isinstance(body, list) else body


# --- the description, read once ---


@cache
def _document(strict: bool) -> Json:
    document: Json = json.loads(DESCRIPTION.read_text(encoding="utf-8"))
    if strict:
        _tighten(document)
    return document


@cache
def _registry(strict: bool) -> Registry[Any]:
    resource: Resource[Any] = DRAFT4.create_resource(_document(strict))
    empty: Registry[Any] = Registry()
    filled: Registry[Any] = empty.with_resource("urn:x", resource)
    return filled


@cache
def _validator(template: str, method: str, status: int, media: str, strict: bool) -> OAS30Validator | str:
    operation = _document(strict)["paths"][template].get(method)
    if operation is None:
        return NO_SUCH_METHOD
    declared = UNDECLARED.get((method.upper(), template, status), str(status))
    code = declared if declared in operation["responses"] else "default"
    if code == "default" and status < 400:
        return f"status {status} is not declared"
    if media not in operation["responses"][code]["content"]:
        return f"{media} is not declared for {code}"
    pointer = [template.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D"), method]
    media_pointer = media.replace("/", "~1")
    reference = f"urn:x#/paths/{'/'.join(pointer)}/responses/{code}/content/{media_pointer}/schema"
    return OAS30Validator(
        {"$ref": reference}, registry=_registry(strict), format_checker=oas30_format_checker
    )


@cache
def _template(path: str) -> str | None:
    """The description's path for this one; the one with the fewest braces where several fit."""
    fitting = [
        template
        for template in _document(False)["paths"]
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path)
    ]
    return min(fitting, key=lambda template: template.count("{"), default=None)


def _tighten(document: Json) -> None:
    """Forbids unknown keys wherever a schema names some; the problems stay open."""
    schemas = document["components"]["schemas"]
    for name, schema in schemas.items():
        if not name.endswith("Problem"):
            schemas[name] = _closed(_flat(schema, schemas), schemas, ALSO_ALLOWED.get(name, ()))
    created = schemas["TweetCreateResponse"]["properties"]["data"]["properties"]
    created.update({name: {} for name in ALSO_ALLOWED_WHEN_CREATED})


def _closed(schema: Any, schemas: Json, allowed: tuple[str, ...] = ()) -> Any:
    if isinstance(schema, list):
        return [_closed(each, schemas) for each in schema]
    if not isinstance(schema, dict):
        return schema
    schema = _flat(schema, schemas)
    closed = {name: _closed(value, schemas) for name, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and "additionalProperties" not in schema:
        closed["properties"] |= {name: {} for name in allowed}
        closed["additionalProperties"] = False
    return closed


def _flat(schema: Json, schemas: Json) -> Json:
    """`allOf` put together into one object, so that forbidding unknown keys forbids the right ones."""
    if "allOf" not in schema:
        return schema
    flat: Json = {name: value for name, value in schema.items() if name != "allOf"}
    for part in schema["allOf"]:
        one = copy.deepcopy(schemas[part["$ref"].rpartition("/")[2]]) if "$ref" in part else part
        one = _flat(one, schemas)
        flat.setdefault("type", "object")
        flat["properties"] = {**flat.get("properties", {}), **one.get("properties", {})}
        flat["required"] = [*flat.get("required", []), *one.get("required", [])]
    if not flat["required"]:
        del flat["required"]
    return flat
