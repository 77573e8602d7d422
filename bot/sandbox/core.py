"""The world: people, posts, messages, limits and planned faults in memory, with a clock and chance from outside.

This is the sandbox's one door for tests, the simulator, the page and the HTTP server. People act here as they would in
X's app, so the rules X has for programs (a reply must be asked for, and the like) are in `street`, not here. Every
method may be called from any thread. It does no I/O, never sleeps and starts nothing.
"""

import random
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from bot.sandbox.faults import Fault, FaultKind, FaultPlan
from bot.sandbox.ground import Clock, Ground, MovableClock
from bot.sandbox.limits import WIDE, Limits, Operation, Windows
from bot.sandbox.messages import Messages, StoredMessage, conversation_of
from bot.sandbox.meter import Meter
from bot.sandbox.people import People, Person
from bot.sandbox.posts import Posts, StoredPost
from bot.sandbox.refusals import forbidden, suspended
from bot.x.snowflake import instant_of

T = TypeVar("T")
USER_TOKEN_LIFETIME = timedelta(hours=2)
Who = Person | int
"""A person, or a person's id."""


@dataclass(frozen=True, slots=True)
class Happening:
    """Something changed: `kind` is post, edit, delete, message, people, clock, drop or late; `id` is what it was about."""

    kind: str
    id: int = 0


@dataclass(frozen=True, slots=True)
class StreamRule:
    """What the filtered stream lets through; `tag` is the owner's word for it."""

    id: int
    value: str
    tag: str | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """Whose events of one kind are told, by the stream and, where there is one, by a webhook."""

    id: int
    event_type: str
    user_id: int
    tag: str = ""
    webhook_id: int | None = None

    @property
    def created_at(self) -> datetime:
        return instant_of(self.id)


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address on this machine that events are brought to, as long as it answered its last check."""

    id: int
    url: str
    valid: bool = True

    @property
    def created_at(self) -> datetime:
        return instant_of(self.id)


@dataclass(frozen=True, slots=True)
class AppKeys:
    """The keys of the one app all clients here belong to."""

    consumer_key: str
    consumer_secret: str
    bearer_token: str


class World:
    """A small X. `limits` are X's own or wide; `lag` is how long what was written stays unseen by readers."""

    def __init__(
        self,
        clock: Clock | None = None,
        *,
        chance: random.Random | None = None,
        limits: Limits = WIDE,
        lag: timedelta = timedelta(),
    ) -> None:
        self.lock = threading.RLock()
        self.clock: Clock = clock if clock is not None else MovableClock()
        self.ground = Ground(self.clock, chance if chance is not None else random.SystemRandom())
        self.ground.lag = lag
        self.people = People(self.ground)
        self.posts = Posts(self.ground, self.people)
        self.messages = Messages(self.ground, self.people)
        self.windows = Windows(limits)
        self.faults = FaultPlan()
        self.meter = Meter()
        self.credit_thousandths: int | None = None
        """What may be spent in all, in thousandths of a dollar, by the meter; None is no end of it."""
        self.app = AppKeys(self.ground.secret(25), self.ground.secret(50), self.ground.secret(60))
        self.rules: dict[int, StreamRule] = {}
        self.subscriptions: dict[int, Subscription] = {}
        self.webhooks: dict[int, Webhook] = {}
        self.happened: list[Happening] = []
        """Posts, edits and messages in the order in which streams and webhooks tell of them; one may stand here twice."""
        self._held_back: list[Happening] | None = None
        self.newer_names = False
        """Answers use the names of X's newer description, as for a request that uses them."""
        self.version = 0
        self._listeners: list[Callable[[Happening], None]] = []

    @property
    def limits(self) -> Limits:
        return self.windows.limits

    def now(self) -> datetime:
        return self.ground.now()

    # --- people ---

    def create_person(self, username: str, name: str = "", *, open_messages: bool = False) -> Person:
        """A new person. Raises `XRefusal` where the username is taken or none."""
        with self.lock:
            person = self.people.create(username, name)
            person.open_messages = open_messages
            return self._tell(Happening("people", person.id), person)

    def person(self, who: Who | str) -> Person:
        """By id or by the username held now. Raises `KeyError`."""
        with self.lock:
            if isinstance(who, Person):
                return who
            found = self.people.holder(who) if isinstance(who, str) else self.people.get(who)
            if found is None:
                raise KeyError(who)
            return found

    def rename(self, who: Who, username: str, name: str | None = None) -> Person:
        """A new username; the old one can be taken by anybody (`create_person`) from now on."""
        with self.lock:
            person = self.person(who)
            self.people.rename(person, username, name)
            return self._tell(Happening("people", person.id), person)

    def suspend(self, who: Who, *, suspended: bool = True) -> None:
        with self.lock:
            self.person(who).suspended = suspended
            self._tell(Happening("people", self.person(who).id), None)

    def protect(self, who: Who, *, protected: bool = True) -> None:
        with self.lock:
            self.person(who).protected = protected
            self._tell(Happening("people", self.person(who).id), None)

    def close_account(self, who: Who) -> None:
        with self.lock:
            self.people.close(self.person(who))
            self._tell(Happening("people", self.person(who).id), None)

    def block(self, who: Who, other: Who, *, blocked: bool = True) -> None:
        """Neither can write to the other any more."""
        with self.lock:
            wanted = self.person(who).blocked
            (wanted.add if blocked else wanted.discard)(self.person(other).id)

    def renew_user_token(self, who: Who, *, lifetime: timedelta = USER_TOKEN_LIFETIME) -> Person:
        """A new OAuth 2 user token that ends, and a new refresh token for the time after; the old ones end now."""
        with self.lock:
            person = self.person(who)
            person.keys.user_token = self.ground.secret(60)
            person.keys.refresh_token = self.ground.secret(60)
            person.keys.user_token_ends_at = (self.now() + lifetime).timestamp()
            return person

    def _acting(self, who: Who) -> Person:
        """Raises `XRefusal` for who cannot do anything on X just now."""
        person = self.person(who)
        if person.suspended:
            raise suspended()
        if person.gone:
            raise forbidden()
        return person

    # --- posts ---

    def post(
        self,
        author: Who,
        text: str,
        *,
        in_reply_to: int | None = None,
        quote_of: int | None = None,
        left_out: Iterable[int] = (),
        language: str = "und",
    ) -> StoredPost:
        """Somebody posts. Raises `XRefusal` for a text X would not take."""
        with self.lock:
            post = self.posts.write(
                self._acting(author),
                text,
                in_reply_to=in_reply_to,
                quote_of=quote_of,
                left_out=frozenset(left_out),
                language=language,
            )
            return self._tell(Happening("post", post.id), post)

    def edit(self, post_id: int, text: str) -> StoredPost:
        """A new version, with a new id. Raises `XRefusal` when it may not be edited any more."""
        with self.lock:
            self._acting(self.posts[post_id].author_id)
            version = self.posts.edit(self.posts[post_id], text)
            return self._tell(Happening("edit", version.id), version)

    def repost(self, author: Who, post_id: int) -> StoredPost:
        with self.lock:
            post = self.posts.repost(self._acting(author), post_id)
            return self._tell(Happening("post", post.id), post)

    def delete(self, post_id: int) -> None:
        """All versions of the post are gone."""
        with self.lock:
            self.posts.delete(self.posts[post_id])
            self._tell(Happening("delete", post_id), None)

    def redeliver(self, identity: int) -> None:
        """Streams and webhooks tell of this post or message once more, as X's sometimes do."""
        with self.lock:
            kind = "message" if self.posts.get(identity) is None else "post"
            self._tell(Happening(kind, identity), None)

    def hold_pushes(self) -> None:
        """Streams and webhooks tell of nothing from now on, though they stay open; lists show everything as ever."""
        with self.lock:
            self._held_back = []

    def release_pushes(self, *, reverse: bool = False) -> None:
        """They tell of what was held back, as it happened or the other way round, and go on."""
        with self.lock:
            late, self._held_back = self._held_back or [], None
            self.happened += reversed(late) if reverse else late
            self._tell(Happening("late"), None)

    def drop_streams(self) -> None:
        """All open streams end now."""
        with self.lock:
            self._tell(Happening("drop"), None)

    def timeline(self, limit: int = 50) -> list[StoredPost]:
        """What everybody sees, newest first: the newest version of each post."""
        with self.lock:
            shown: list[StoredPost] = []
            for identity in reversed(self.posts.all_ids):
                post = self.posts[identity]
                if self.posts.is_visible(post) and self.posts.is_current(post):
                    shown.append(post)
                if len(shown) == limit:
                    break
            return shown

    # --- messages ---

    def send_message(self, sender: Who, recipient: Who, text: str) -> StoredMessage:
        """A direct message. Raises `XRefusal` where the recipient has not written first."""
        with self.lock:
            message = self.messages.send(self._acting(sender), self.person(recipient), text)
            return self._tell(Happening("message", message.id), message)

    def create_group(self, creator: Who, others: Iterable[Who]) -> str:
        """A group conversation; its id."""
        with self.lock:
            group = self.messages.create_group(self.person(creator), [self.person(who) for who in others])
            return self._tell(Happening("message"), group)

    def send_to_group(self, sender: Who, conversation_id: str, text: str) -> StoredMessage:
        with self.lock:
            message = self.messages.send_to_group(self._acting(sender), conversation_id, text)
            return self._tell(Happening("message", message.id), message)

    def thread(self, first: Who, second: Who) -> list[StoredMessage]:
        """The conversation of two, oldest first."""
        with self.lock:
            name = conversation_of(self.person(first).id, self.person(second).id)
            found = [self.messages[identity] for identity in self.messages.ids_in(name)]
            return [message for message in found if self.messages.is_visible(message)]

    # --- what goes wrong, and time ---

    def plan_fault(self, kind: FaultKind, operation: Operation | None = None, **how: object) -> Fault:
        """Plans one fault; `how` are the further fields of `Fault`."""
        with self.lock:
            fault = Fault(kind, operation, **how)  # type: ignore[arg-type]  # a wrong field is refused when called
            self.faults.plan(fault)
            return fault

    def advance(self, by: timedelta) -> datetime:
        """Moves the clock on. Raises `TypeError` if the world was given a clock that cannot be moved."""
        if not isinstance(self.clock, MovableClock):
            raise TypeError("this world's clock belongs to somebody else")
        self.clock.advance(by)
        with self.lock:
            return self._tell(Happening("clock"), self.now())

    def on_change(self, listener: Callable[[Happening], None]) -> Callable[[], None]:
        """Calls the listener at every change, with the world locked: it must return at once. Returns how to stop."""
        with self.lock:
            self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _tell(self, happening: Happening, result: T) -> T:
        self.version += 1
        if happening.kind in ("post", "edit", "message") and happening.id:
            (self.happened if self._held_back is None else self._held_back).append(happening)
        for listener in tuple(self._listeners):
            listener(happening)
        return result
