"""Webhooks: the activity events brought to the bot's own address, signed as X signs them.

X takes public https addresses only; the sandbox takes addresses of this machine only, so that nothing ever leaves it.
X checks an address by a challenge (`crc_token`) when it is given and when it is asked to; every event carries a signature
over its very bytes. There is no time in it: a repeated event is known by its ids alone.
"""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address
from urllib.parse import urlsplit

import requests

from bot.sandbox.activity import Event, charge, events, is_visible
from bot.sandbox.call import Answer, Call, Json, only
from bot.sandbox.core import Happening, Webhook, World
from bot.sandbox.refusals import PROBLEMS, XRefusal, invalid
from bot.sandbox.render import time_text

SIGNATURE_HEADER = "x-twitter-webhooks-signature"
TIMEOUT_SECONDS = 10
MOST_WEBHOOKS = 5
_LOOK_AGAIN_SECONDS = 0.05


def signature(consumer_secret: str, content: bytes) -> str:
    """How X signs a webhook's body, and answers expect a challenge to be signed."""
    digest = hmac.new(consumer_secret.encode(), content, hashlib.sha256).digest()
    return "sha256=" + base64.b64encode(digest).decode()


# --- the routes ---


def register(call: Call) -> Answer:
    """Checks the address before it is taken; that part is done with the world unlocked."""
    call.asked()
    url = _checked_url(call.world, only(call.body, "url").get("url"))
    made = Webhook(call.world.ground.next_id(), url)
    return Answer({}, then=lambda: _registered(call.world, made))


def webhooks(call: Call) -> Answer:
    call.asked()
    shown = [_json(each) for each in call.world.webhooks.values()]
    return Answer(({"data": shown} if shown else {}) | {"meta": {"result_count": len(shown)}})


def check_again(call: Call) -> Answer:
    call.asked()
    found = _known(call)
    return Answer({}, then=lambda: _checked_again(call.world, found))


def remove(call: Call) -> Answer:
    call.asked()
    del call.world.webhooks[_known(call).id]
    return Answer({"data": {"deleted": True}})


def _registered(world: World, made: Webhook) -> Answer:
    if not _answers_challenge(world, made.url):
        raise _refusal("CrcValidationFailed", "The address did not answer the challenge.")
    with world.lock:
        world.webhooks[made.id] = made
    return Answer({"data": _json(made)})


def _checked_again(world: World, found: Webhook) -> Answer:
    valid = _answers_challenge(world, found.url)
    with world.lock:
        world.webhooks[found.id] = replace(found, valid=valid)
    return Answer({"data": {"valid": valid}})


def _checked_url(world: World, url: object) -> str:
    if not isinstance(url, str) or not _is_here(url):
        raise _refusal("UrlValidationFailed", "The sandbox brings events to addresses on this machine only.")
    if any(each.url == url for each in world.webhooks.values()):
        raise _refusal("DuplicateUrlFailed", "This address is taken already.")
    if len(world.webhooks) >= MOST_WEBHOOKS:
        raise _refusal("WebhookLimitExceeded", "There are as many webhooks as there may be.")
    return url


def _is_here(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False


def _known(call: Call) -> Webhook:
    found = call.world.webhooks.get(call.path_id())
    if found is None:
        raise invalid("id", call.path["id"], "There is no such webhook.")
    return found


def _refusal(title: str, detail: str) -> XRefusal:
    return XRefusal(400, title, detail, kind=PROBLEMS + "invalid-request")


def _json(webhook: Webhook) -> Json:
    return {
        "id": str(webhook.id),
        "url": webhook.url,
        "valid": webhook.valid,
        "created_at": time_text(webhook.created_at),
    }


def _answers_challenge(world: World, url: str) -> bool:
    token = world.ground.secret(40)
    try:
        with _session() as session:
            answer = session.get(
                url, params={"crc_token": token}, timeout=TIMEOUT_SECONDS, allow_redirects=False
            )
            told = answer.json().get("response_token") if answer.status_code == 200 else None
    except (requests.RequestException, ValueError, AttributeError):
        return False
    return told == signature(world.app.consumer_secret, token.encode())


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    return session


# --- bringing events ---


class Postman:
    """Brings what happens to the webhooks that were subscribed, in order, one attempt each, in a thread of its own."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._news = threading.Event()
        self._over = threading.Event()
        self._position = len(world.happened)
        self._thread: threading.Thread | None = None
        self._stop_listening: Callable[[], None] = lambda: None

    def begin(self) -> None:
        self._stop_listening = self._world.on_change(self._heard)
        self._thread = threading.Thread(target=self._bring_all, name="sandbox-webhooks", daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._stop_listening()
        self._over.set()
        self._news.set()

    def _heard(self, _happening: Happening) -> None:
        self._news.set()

    def _bring_all(self) -> None:
        with _session() as session:
            while self._news.wait() and not self._over.is_set():
                self._news.clear()
                for happening in self._fresh():
                    for event in self._events(happening):
                        self._bring(session, event, happening)

    def _fresh(self) -> list[Happening]:
        """What happened since the last time; what happened before there was a webhook is brought nowhere."""
        with self._world.lock:
            fresh = self._world.happened[self._position :]
            self._position += len(fresh)
            return fresh if self._world.webhooks else []

    def _events(self, happening: Happening) -> list[Event]:
        while not self._over.is_set():
            with self._world.lock:
                if is_visible(self._world, happening):
                    return list(events(self._world, happening))
            self._over.wait(_LOOK_AGAIN_SECONDS)
        return []

    def _bring(self, session: requests.Session, event: Event, happening: Happening) -> None:
        with self._world.lock:
            webhook = self._world.webhooks.get(event.subscription.webhook_id or 0)
            if webhook is None or not webhook.valid:
                return
            charge(self._world, happening)
        content = json.dumps(event.body, ensure_ascii=False).encode()
        headers = {
            "content-type": "application/json",
            SIGNATURE_HEADER: signature(self._world.app.consumer_secret, content),
        }
        try:
            session.post(
                webhook.url, data=content, headers=headers, timeout=TIMEOUT_SECONDS, allow_redirects=False
            ).close()
        except requests.RequestException:
            return  # X tries again now and then; the bot must fill such gaps by polling
