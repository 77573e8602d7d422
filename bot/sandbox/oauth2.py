"""Fresh OAuth 2 user tokens for used-up ones, as X gives them: two hours each, a refresh token serves once.

The app proves itself with HTTP Basic (its id and secret are the consumer's), as X's own clients do. The first token of a
person is given out when the person is made; there is no consent page here.
"""

import base64
import binascii
import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote

from bot.sandbox.core import USER_TOKEN_LIFETIME, World

TOKEN_PATH = "/2/oauth2/token"  # noqa: S105 - a path
SCOPE = "tweet.read tweet.write users.read dm.read dm.write offline.access"


def refreshed(world: World, headers: Mapping[str, str], body: bytes) -> tuple[int, dict[str, Any]]:
    """Status and answer of a request for a fresh token."""
    form = {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
    with world.lock:
        if not _is_app(world, headers.get("authorization", "")):
            return 401, _refusal("unauthorized_client", "Missing valid authorization header")
        if form.get("grant_type") != "refresh_token":
            return 400, _refusal("unsupported_grant_type", "Only refresh tokens are taken here.")
        given = form.get("refresh_token", "").encode()
        for person in world.people:
            if hmac.compare_digest(person.keys.refresh_token.encode(), given) and not person.gone and given:
                keys = world.renew_user_token(person).keys
                return 200, _granted(keys.user_token, keys.refresh_token)
    return 400, _refusal("invalid_request", "Value passed for the token was invalid.")


def _is_app(world: World, authorization: str) -> bool:
    scheme, _, encoded = authorization.partition(" ")
    try:
        name, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return False
    given, own = f"{unquote(name)}:{unquote(secret)}", f"{world.app.consumer_key}:{world.app.consumer_secret}"
    return scheme.lower() == "basic" and hmac.compare_digest(given.encode(), own.encode())


def _granted(token: str, refresh_token: str) -> dict[str, Any]:
    return {
        "token_type": "bearer",
        "expires_in": int(USER_TOKEN_LIFETIME.total_seconds()),
        "access_token": token,
        "refresh_token": refresh_token,
        "scope": SCOPE,
    }


def _refusal(error: str, description: str) -> dict[str, Any]:
    return {"error": error, "error_description": description}
