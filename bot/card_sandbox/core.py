"""The processor: sessions, payments, the balance and events in memory, with a clock and chance from outside.

With `paying` and `balance` this is the one door for tests, a simulator, the page and the HTTP server. All of it may be called from
any thread. It does no I/O, never sleeps and starts nothing: what is due by the clock happens when somebody looks next.
"""

import hmac
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from bot.card_sandbox import render
from bot.card_sandbox.cards import Card
from bot.card_sandbox.faults import ApiFaults
from bot.card_sandbox.ground import Entropy, Ground
from bot.card_sandbox.idempotency import Answered
from bot.card_sandbox.objects import (
    Charge,
    Dispute,
    Due,
    DueKind,
    Event,
    Json,
    Movement,
    Payment,
    PaymentStatus,
    Payout,
    Refund,
    Session,
    SessionOrder,
    SessionStatus,
)
from bot.card_sandbox.post import PostOffice
from bot.card_sandbox.refusals import no_such, not_now
from bot.sandbox.ground import Clock

LATE_AFTER: Final = timedelta(minutes=2)
"""When a late card's outcome is known, and a disputed payment disputed, by the processor's clock."""
LIVE_KEYS: Final = ("sk_live_", "rk_live_", "pk_live_")


class LiveKey(ValueError):
    """The sandbox was given a key of the live mode."""


class CardProcessor:
    """`api_key` and `webhook_secret` are made up where none are given. `payee` is who is paid, as the page says it. Raises `LiveKey`."""

    def __init__(
        self,
        clock: Clock,
        entropy: Entropy,
        *,
        api_key: str = "",
        webhook_secret: str = "",
        payee: str = "smoney",
        late_after: timedelta = LATE_AFTER,
    ) -> None:
        self.lock = threading.RLock()
        self.ground = Ground(clock, entropy)
        self.post = PostOffice()
        self.take_keys(
            api_key or f"sk_test_{self.ground.secret()}", webhook_secret or f"whsec_{self.ground.secret()}"
        )
        self.payee = payee
        self.late_after = late_after
        self.address = "http://127.0.0.1"
        """Where it is served, no slash at the end; sessions' pages lie below it."""
        self.faults = ApiFaults()
        self.answered = Answered()
        self.sessions: dict[str, Session] = {}
        self.payments: dict[str, Payment] = {}
        self.charges: dict[str, Charge] = {}
        self.movements: dict[str, Movement] = {}
        self.refunds: dict[str, Refund] = {}
        self.disputes: dict[str, Dispute] = {}
        self.payouts: dict[str, Payout] = {}
        self.events: list[Event] = []
        """Oldest first."""
        self.awaiting: dict[str, Card] = {}
        """By session: the card whose holder's bank asks them to approve."""
        self.due: list[Due] = []
        self._form_key = self.ground.secret()
        self._listeners: list[Callable[[], None]] = []

    def __repr__(self) -> str:
        return f"CardProcessor({len(self.sessions)} sessions)"

    def take_keys(self, api_key: str, webhook_secret: str) -> None:
        """From now on these are the keys. Raises `LiveKey`."""
        if api_key.startswith(LIVE_KEYS):
            raise LiveKey("the card sandbox moves test money only and takes no live key: give it its own")
        self.api_key = api_key
        self.webhook_secret = webhook_secret
        self.post.secret = webhook_secret

    def now(self) -> datetime:
        return self.ground.now()

    def create_session(self, order: SessionOrder) -> Session:
        with self.lock:
            session = Session(self.ground.new_id("cs_test"), self.now(), order)
            self.sessions[session.id] = session
            self.due.append(Due(order.expires_at, DueKind.EXPIRE, session.id))
            return session

    def session(self, session_id: str) -> Session:
        """As it is now. Raises `StripeRefusal`."""
        with self.lock:
            self.catch_up()
            found = self.sessions.get(session_id)
            if found is None:
                raise no_such("checkout.session", session_id, "session")
            return found

    def payment(self, payment_id: str) -> Payment:
        """Raises `StripeRefusal`."""
        with self.lock:
            self.catch_up()
            found = self.payments.get(payment_id)
            if found is None:
                raise no_such("payment_intent", payment_id, "intent")
            return found

    def expire(self, session_id: str) -> Session:
        """Closes an open session before its time. Raises `StripeRefusal`."""
        with self.lock:
            if self.session(session_id).status is not SessionStatus.OPEN:
                raise not_now("session", 'Only Checkout Sessions with a status in ["open"] can be expired.')
            _expire(self, session_id)
            return self.sessions[session_id]

    def form_token(self, session_id: str, step: str) -> str:
        """What a form of this session's page carries; nobody can make it who has not seen the page."""
        return hmac.new(self._form_key.encode(), f"{step} {session_id}".encode(), sha256).hexdigest()

    def catch_up(self) -> None:
        """Lets happen what is due by the clock, in the order it is due."""
        with self.lock:
            while due := [each for each in self.due if each.at <= self.now()]:
                first = min(due, key=lambda each: each.at)
                self.due.remove(first)
                _let_happen(self, first)

    def emit(self, kind: str, shown: Json) -> None:
        """Notes an event, for the list and for the webhooks."""
        with self.lock:
            event = Event(self.ground.new_id("evt"), self.now(), kind, shown)
            self.events.append(event)
            self.post.queue(event.id, kind, render.event(event), self.now())
            for listener in tuple(self._listeners):
                listener()

    def on_event(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Calls the listener at every event, with the processor locked: it must return at once. Returns how to stop."""
        with self.lock:
            self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)


def _let_happen(processor: CardProcessor, due: Due) -> None:
    from bot.card_sandbox import balance, paying  # noqa: PLC0415 - they stand on this module

    match due.kind:
        case DueKind.EXPIRE:
            _expire(processor, due.about)
        case DueKind.SUCCEED | DueKind.FAIL:
            paying.end_late(processor, due.about, succeeds=due.kind is DueKind.SUCCEED)
        case DueKind.DISPUTE:
            balance.dispute_if_possible(processor, due.about)


def _expire(processor: CardProcessor, session_id: str) -> None:
    session = processor.sessions[session_id]
    if session.status is not SessionStatus.OPEN:
        return
    processor.awaiting.pop(session_id, None)
    processor.sessions[session_id] = session = replace(session, status=SessionStatus.EXPIRED)
    if session.payment_id is not None:
        payment = replace(processor.payments[session.payment_id], status=PaymentStatus.CANCELED)
        processor.payments[payment.id] = payment
        processor.emit("payment_intent.canceled", render.payment(payment))
    processor.emit("checkout.session.expired", render.session(session, processor.address))
