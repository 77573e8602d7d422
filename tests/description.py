"""X's published description as a judge: every answer of every served sandbox of a test run is held against it.

As published the description is lax (no field is required, unknown keys pass), so it is tightened: unknown keys are
forbidden, and presence is asserted for what every answer has. Where X's own pages and samples say otherwise than its
description, the sandbox follows them, and its answers are held against assertions of our own. `all_judged` puts the judge
into each sandbox that is made, so that a test cannot forget it.
"""

import copy
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from openapi_schema_validator import OAS30Validator, oas30_format_checker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

from bot.sandbox.x_api import Exchange, Observe, XApi

DESCRIPTION = Path(__file__).parents[2] / "shared" / "x-api" / "openapi-2.157.json"
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
    "repost_count": "retweet_count",
    "post_count": "tweet_count",
}
"""What X's newer description calls otherwise: it is judged by its older name."""
UNDECLARED = {("POST", "/2/tweets/search/stream/rules", 201): "200"}
"""Statuses X gives and its description does not have, with the one whose schema fits."""


NO_SUCH_METHOD = "no such method in the description"


OTHERWISE_DOCUMENTED = ("/2/activity/", "/2/webhooks", "/2/oauth2/")
"""Here X's pages and samples differ from its description or stand beside it, and the sandbox follows the pages."""
MOST_REMEMBERED = 50_000


class Objection(AssertionError):
    """An answer is not what X says it gives."""


class Judge:
    """Holds one answer after the other against the description; counts them, so that a test can see it was asked.

    What was found well before, byte for byte, is not read again: neither the same answer to the same question, as a bot
    that polls gets it hundreds of times, nor the same post, message or person in another list.
    """

    def __init__(self) -> None:
        self.judged = 0
        self.read = 0
        self._well: set[bytes] = set()

    def __call__(self, exchange: Exchange) -> None:
        self.judged += 1
        question = f"{exchange.method} {exchange.path} {sorted(exchange.query.items())} {exchange.status}"
        seen = _mark(question, exchange.media_type, exchange.body)
        if seen in self._well:
            return
        self.read += 1
        body = json.loads(exchange.body)
        if exchange.path.startswith(OTHERWISE_DOCUMENTED):
            marks: set[bytes] = set()
            problems = list(_otherwise(exchange, body))
        else:
            fresh, marks = self._fresh(f"{_template(exchange.path)} {exchange.status}", body)
            problems = [*_against_schema(exchange, fresh), *_missing(exchange, body)]
        if problems:
            shown = exchange.body.decode()[:500]
            raise Objection(
                f"{exchange.method} {exchange.path} {exchange.status}: {'; '.join(problems)}\n{shown}"
            )
        if len(self._well) >= MOST_REMEMBERED:
            self._well.clear()
        self._well |= marks | {seen}

    def _fresh(self, where: str, body: Any) -> tuple[Any, set[bytes]]:
        """The answer without what its lists show and was found well in such a list before (one of each stays, since an
        empty list is wrong), and the marks of the rest."""
        marks: set[bytes] = set()

        def fresh(name: str, items: Any) -> Any:
            if not isinstance(items, list) or len(items) < 2:
                return items
            marked = {_mark(where, name, json.dumps(item).encode()): item for item in items}
            marks.update(marked)
            return [item for mark, item in marked.items() if mark not in self._well] or items[:1]

        if not isinstance(body, dict):
            return body, marks
        reduced = {name: fresh(name, value) for name, value in body.items()}
        if isinstance(body.get("includes"), dict):
            reduced["includes"] = {name: fresh(name, value) for name, value in body["includes"].items()}
        return reduced, marks


def _mark(where: str, name: str, content: bytes) -> bytes:
    return sha256(f"{where} {name} ".encode() + content).digest()


@contextmanager
def all_judged(observe: Observe) -> Iterator[None]:
    """Every sandbox made while the block runs, by whatever code, is observed, unless its maker gives an observer of its
    own. What is raised is raised where that sandbox ends, and so in the test that it is for."""
    made: Callable[..., None] = XApi.__init__

    def make(api: XApi, *arguments: Any, **named: Any) -> None:
        made(api, *arguments, **named | {"observe": named.get("observe") or observe})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(XApi, "__init__", make)
        yield


def _against_schema(exchange: Exchange, body: Any) -> Iterator[str]:
    template = _template(exchange.path)
    if template is None:
        if exchange.status < 400:
            yield "no such path in the description"
        return
    strict = exchange.status < 400  # problems may carry more than their schema names
    validator = _validator(template, exchange.method.lower(), exchange.status, exchange.media_type, strict)
    if isinstance(validator, str):
        if strict or validator != NO_SUCH_METHOD:
            yield validator
        return
    yield from _errors(validator, body)


def _errors(validator: OAS30Validator, body: Any) -> Iterator[str]:
    for error in validator.iter_errors(_older(body)):
        place = "/".join(str(each) for each in error.absolute_path)
        yield f"{place}: {error.message[:200]}"


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


# --- where X's pages say otherwise than its description ---


def _otherwise(exchange: Exchange, body: Any) -> Iterator[str]:
    if exchange.path.startswith("/2/oauth2/"):
        granted = ("access_token", "expires_in", "refresh_token", "scope", "token_type")
        refused = ("error", "error_description")
        yield from _has(body, *(granted if exchange.status == 200 else refused))
    elif exchange.status >= 400:
        yield from _missing(exchange, body)
    elif exchange.path == "/2/activity/stream":
        yield from _wrong_in_an_event(body)
    else:
        if not body.keys() & {"data", "meta"}:
            yield "an answer with neither data nor meta"
        data = body.get("data", [])
        for each in data if isinstance(data, list) else [data]:
            is_change = each.keys() <= {"deleted", "valid"}
            kind = _SUBSCRIPTION if "/activity/" in exchange.path else _WEBHOOK
            yield from () if is_change and each else _has(each, *kind)


_SUBSCRIPTION = ("subscription_id", "event_type", "filter", "created_at", "updated_at", "tag")
_WEBHOOK = ("id", "url", "valid", "created_at")


def _wrong_in_an_event(body: Json) -> Iterator[str]:
    """An envelope as in X's published samples; a post in it is one of the description's, beside the twins in text."""
    data = body.get("data", {})
    yield from _has(data, "event_uuid", "filter", "event_type", "tag", "payload")
    if not re.fullmatch(r"-?[0-9]{1,19}", str(data.get("event_uuid"))):
        yield "an event_uuid that is no number"
    payload = data.get("payload", {})
    if data.get("event_type") == "post.mention.create":
        yield from _has(payload, "id", "text", "author_id", "created_at", "entities", "edit_controls")
        includes = data.get("includes", {})
        yield from _has(includes, "users", "tweets")
        for name, each in (
            ("Tweet", payload),
            *(("User", user) for user in includes.get("users", [])),
            *(("Tweet", post) for post in includes.get("tweets", [])),
        ):
            yield from _errors(_schema(name), _without_twins(each))
    elif data.get("event_type") == "dm.received":
        yield from _has(payload, "direct_message_events", "users")
        for event in payload.get("direct_message_events", []):
            yield from _has(event, "type", "id", "created_timestamp", "message_create")
            yield from _has(event.get("message_create", {}), "target", "sender_id", "message_data")
            yield from _has(event.get("message_create", {}).get("message_data", {}), "text", "entities")
    else:
        yield f"an event of no known kind: {data.get('event_type')}"


def _has(body: Json, *names: str) -> Iterator[str]:
    yield from (f"without {name}" for name in names if name not in body)


def _without_twins(value: Any) -> Any:
    """The same without the texts that stand beside numbers."""
    if isinstance(value, list):
        return [_without_twins(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _without_twins(each)
        for name, each in value.items()
        if not (name.endswith("_str") and name.removesuffix("_str") in value)
    }


# --- names ---


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
    return _referring_to(reference, strict)


@cache
def _schema(name: str) -> OAS30Validator:
    return _referring_to(f"urn:x#/components/schemas/{name}", strict=True)


def _referring_to(reference: str, strict: bool) -> OAS30Validator:
    return OAS30Validator(
        {"$ref": reference}, registry=_registry(strict), format_checker=oas30_format_checker
    )


@lru_cache(maxsize=4096)
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
