"""Clients that know nothing of the sandbox but its address: tweepy, X's own SDK, and plain requests."""

import time
from typing import Any, cast

import requests
import tweepy
from oauthlib.oauth1 import Client as Signer
from requests.adapters import HTTPAdapter
from xdk import Client as Xdk
from xdk.oauth1_auth import OAuth1

from bot.sandbox.core import World
from bot.sandbox.people import Person

X = "https://api.twitter.com"


class Redirected(HTTPAdapter):
    """Brings requests for X's address to the sandbox; signatures stay those over X's address."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self._address = address

    def send(self, request: requests.PreparedRequest, *arguments: Any, **named: Any) -> requests.Response:
        assert request.url is not None
        request.url = request.url.replace(X, self._address, 1)
        return super().send(request, *arguments, **(named | {"timeout": 10, "proxies": {}}))


def tweepy_client(address: str, world: World, person: Person | None) -> tweepy.Client:
    """Signed in as a person, or (None) as the app with its bearer token."""
    if person is None:
        client = tweepy.Client(bearer_token=world.app.bearer_token)
    else:
        client = tweepy.Client(
            consumer_key=world.app.consumer_key,
            consumer_secret=world.app.consumer_secret,
            access_token=person.keys.access_token,
            access_token_secret=person.keys.access_token_secret,
        )
    client.session.trust_env = False
    client.session.mount(X, Redirected(address))
    return client


def xdk_client(address: str, world: World, person: Person | None, *, oauth2: bool = False) -> Xdk:
    """X's own SDK with one credential: OAuth 1, an OAuth 2 user token, or the app's bearer token."""
    if person is None:
        client = Xdk(base_url=address, bearer_token=world.app.bearer_token)
    elif oauth2:
        client = Xdk(base_url=address, access_token=person.keys.user_token)
    else:
        signer = OAuth1(
            world.app.consumer_key,
            world.app.consumer_secret,
            "oob",
            access_token=person.keys.access_token,
            access_token_secret=person.keys.access_token_secret,
        )
        client = Xdk(base_url=address, auth=signer)
    client.session.trust_env = False
    return client


class Plain:
    """Requests with a bearer token or a hand-made OAuth 1 signature, and nothing else in between."""

    def __init__(self, address: str, world: World) -> None:
        self.address = address
        self.world = world
        self.session = requests.Session()
        self.session.trust_env = False

    def close(self) -> None:
        self.session.close()

    def app(self, method: str, path: str, **named: Any) -> requests.Response:
        return self._send(method, path, f"Bearer {self.world.app.bearer_token}", **named)

    def user(self, person: Person, method: str, path: str, **named: Any) -> requests.Response:
        return self._send(method, path, f"Bearer {person.keys.user_token}", **named)

    def signed(
        self,
        person: Person,
        method: str,
        path: str,
        *,
        base: str | None = None,
        signature_method: str = "HMAC-SHA1",
        shift_seconds: int = 0,
        **signer: Any,
    ) -> str:
        """The Authorization header for a request, made as by a client that means well, or not."""
        keys = {
            "client_secret": self.world.app.consumer_secret,
            "resource_owner_key": person.keys.access_token,
            "resource_owner_secret": person.keys.access_token_secret,
            "timestamp": str(int(time.time()) + shift_seconds),
        } | signer
        client = Signer(
            keys.pop("client_key", self.world.app.consumer_key), signature_method=signature_method, **keys
        )
        _, headers, _ = client.sign(
            (self.address if base is None else base) + path, http_method=cast(Any, method)
        )
        return str(headers["Authorization"])

    def send(self, method: str, path: str, authorization: str | None, **named: Any) -> requests.Response:
        return self._send(method, path, authorization, **named)

    def _send(self, method: str, path: str, authorization: str | None, **named: Any) -> requests.Response:
        headers = {} if authorization is None else {"Authorization": authorization}
        return self.session.request(method, self.address + path, headers=headers, timeout=10, **named)
