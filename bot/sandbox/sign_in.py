"""Who signed a request: OAuth 1.0a signatures verified for real, app and user tokens looked up.

A client that is mounted on another address signs X's own (`https://api.twitter.com`), one with a settable address signs
the address it calls; both are tried. A request that was seen before is refused, and so is a signature by a method that
signs nothing. Times are judged by the machine's clock, as the clients' are, however far the world's was moved.
"""

import hmac
import logging
from collections import deque

from oauthlib.common import Request
from oauthlib.oauth1 import RequestValidator, ResourceEndpoint
from oauthlib.oauth1.rfc5849.errors import OAuth1Error

from bot.sandbox.core import World
from bot.sandbox.people import Person
from bot.sandbox.refusals import unauthorized
from bot.sandbox.street import Caller

X_BASES = ("https://api.twitter.com", "https://api.x.com")
TIMESTAMP_LIFETIME_SECONDS = 300
_REMEMBERED = 200_000
_SAFE = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")

# oauthlib tells at INFO why a signature was refused, and at DEBUG with which parameters.
logging.getLogger("oauthlib").addHandler(logging.NullHandler())


class SignIn:
    """Finds the caller of a request. Raises `XRefusal` (401) where nobody is."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._validator = _Validator(world)
        self._endpoint = ResourceEndpoint(self._validator)

    def caller(self, *, method: str, target: str, host: str, headers: dict[str, str]) -> Caller:
        """`target` is path and query as they came over the wire."""
        authorization = headers.get("authorization", "")
        scheme, _, rest = authorization.partition(" ")
        if scheme.lower() == "bearer":
            return self._by_token(rest.strip())
        if scheme.lower() == "oauth":
            return Caller(self._by_signature(method, target, host, authorization))
        raise unauthorized()

    def _by_token(self, token: str) -> Caller:
        given = token.encode("utf-8", "replace")
        if hmac.compare_digest(given, self._world.app.bearer_token.encode()):
            return Caller(None)
        for person in self._world.people:
            if hmac.compare_digest(given, person.keys.user_token.encode()) and self._may_sign(person):
                return Caller(person, by_token=True)
        raise unauthorized()

    def _may_sign(self, person: Person) -> bool:
        ends_at = person.keys.user_token_ends_at
        return not person.gone and (ends_at is None or self._world.now().timestamp() < ends_at)

    def _by_signature(self, method: str, target: str, host: str, authorization: str) -> Person:
        for base in (*X_BASES, f"http://{host}"):
            try:
                valid, request = self._endpoint.validate_protected_resource_request(
                    base + target, method, "", {"Authorization": authorization}, []
                )
            except (OAuth1Error, ValueError):
                raise unauthorized() from None
            if valid:
                return self._validator.accept(request)
        raise unauthorized()


class _Validator(RequestValidator):
    """What oauthlib asks about keys and tokens."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world
        self._seen: set[tuple[str | None, ...]] = set()
        self._order: deque[tuple[str | None, ...]] = deque()

    def accept(self, request: Request) -> Person:
        """The request counts: it is remembered, so that it counts once. Returns who signed it."""
        mark = (request.resource_owner_key, request.timestamp, request.nonce)
        self._seen.add(mark)
        self._order.append(mark)
        if len(self._order) > _REMEMBERED:
            self._seen.discard(self._order.popleft())
        person = self._owner(request.resource_owner_key)
        if person is None:
            raise unauthorized()
        return person

    def _owner(self, token: str | None) -> Person | None:
        head = (token or "").partition("-")[0]
        person = (
            self._world.people.get(int(head))
            if head.isascii() and head.isdigit() and len(head) < 20
            else None
        )
        if person is None or person.gone:
            return None
        return person if hmac.compare_digest(person.keys.access_token, token or "") else None

    enforce_ssl = False
    allowed_signature_methods = ("HMAC-SHA1",)
    timestamp_lifetime = TIMESTAMP_LIFETIME_SECONDS
    client_key_length = access_token_length = nonce_length = (1, 200)
    safe_characters = _SAFE
    dummy_client = "nobody"
    dummy_access_token = "nobody"  # noqa: S105 - the name of no token

    def validate_client_key(self, client_key: str, request: Request) -> bool:  # noqa: ARG002 - oauthlib's form
        return hmac.compare_digest(client_key.encode(), self._world.app.consumer_key.encode())

    def validate_access_token(self, client_key: str, token: str, request: Request) -> bool:  # noqa: ARG002
        return self._owner(token) is not None

    def validate_timestamp_and_nonce(
        self,
        client_key: str,  # noqa: ARG002
        timestamp: str,
        nonce: str,
        request: Request,  # noqa: ARG002
        request_token: str | None = None,  # noqa: ARG002
        access_token: str | None = None,
    ) -> bool:
        return (access_token or "", timestamp, nonce) not in self._seen

    def validate_realms(
        self,
        client_key: str,  # noqa: ARG002
        token: str,  # noqa: ARG002
        request: Request,  # noqa: ARG002
        uri: str | None = None,  # noqa: ARG002
        realms: list[str] | None = None,  # noqa: ARG002
    ) -> bool:
        return True

    def get_client_secret(self, client_key: str, request: Request) -> str:  # noqa: ARG002
        return self._world.app.consumer_secret

    def get_access_token_secret(self, client_key: str, token: str, request: Request) -> str:  # noqa: ARG002
        person = self._owner(token)
        return "nobody" if person is None else person.keys.access_token_secret
