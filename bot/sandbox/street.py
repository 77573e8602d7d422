"""What a program may do here: X's operations, with everything X puts around them.

Each operation counts against the caller's limits, may be struck by a planned fault, is refused to a suspended caller
and follows the rules X has for programs. `gateway` (in the same process) and `http` (over the wire) both go through
here, so a bot meets the same X by either way. Results are the world's own records; making JSON of them is `render`'s.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from bot.sandbox.core import World
from bot.sandbox.faults import ConnectionLost, Fault, FaultKind, NonsenseAnswer
from bot.sandbox.limits import Operation
from bot.sandbox.messages import StoredMessage, conversation_of
from bot.sandbox.meter import Price
from bot.sandbox.people import Person
from bot.sandbox.posts import StoredPost
from bot.sandbox.refusals import XRefusal, credits_depleted, forbidden, suspended, too_many_requests

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who signed the request: a person, or (None) the app itself with its bearer token.

    `by_token`: a person by their OAuth 2 token, which X wants in some places, and not by an OAuth 1.0a signature.
    """

    person: Person | None
    by_token: bool = False

    @property
    def id(self) -> int | None:
        return None if self.person is None else self.person.id

    @property
    def key(self) -> str:
        """Whose limits are used."""
        return "app" if self.person is None else str(self.person.id)


@dataclass(frozen=True, slots=True)
class Range:
    """Which part of a list is wanted: ids strictly between, times from and before, at most so many."""

    since_id: int | None = None
    until_id: int | None = None
    start: datetime | None = None
    end: datetime | None = None
    before_id: int | None = None
    """Where the page before this one ended: everything here is older."""
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """A page, newest first; `next_before_id` is where the next one begins, None on the last."""

    items: tuple[T, ...]
    next_before_id: int | None = None


class Street:
    """The operations. Each raises `XRefusal`, `ConnectionLost` or `NonsenseAnswer`."""

    def __init__(self, world: World) -> None:
        self.world = world

    def fault_for(self, caller: Caller, operation: Operation) -> Fault | None:
        """The planned fault that strikes this request; to be handed to `call`."""
        with self.world.lock:
            return self.world.faults.take(operation, caller.id)

    def call(self, caller: Caller, operation: Operation, fault: Fault | None, act: Callable[[], T]) -> T:
        """Does it as X would: counted, allowed, and with the fault around it."""
        with self.world.lock:
            if fault is not None and fault.kind is FaultKind.CUT:
                raise ConnectionLost(done=False)
            if not self.world.windows.take(caller.key, operation, self.world.now()):
                raise too_many_requests()
            if fault is not None and fault.kind in (FaultKind.REFUSE, FaultKind.FAIL):
                raise XRefusal(fault.status, fault.title, fault.detail)
            if caller.person is not None and caller.person.suspended:
                raise suspended()
            credit = self.world.credit_thousandths
            if credit is not None and self.world.meter.thousandths >= credit:
                raise credits_depleted()
            result = act()
        if fault is not None and fault.kind is FaultKind.LOSE:
            raise ConnectionLost(done=True)
        if fault is not None and fault.kind is FaultKind.NONSENSE:
            raise NonsenseAnswer(fault.body)
        return result

    # --- reading ---

    def mentions(self, caller: Caller, person_id: int, wanted: Range) -> Listing[StoredPost]:
        """Posts that mention this person; only the newest 800 are kept in the list."""
        kept = self._shown(self.world.posts.ids_mentioning(person_id), caller)
        listing = _cut(kept, wanted, self.world.limits.mention_horizon)
        self._charge(Price.MENTION_READ if caller.id == person_id else Price.POST_READ, listing)
        return listing

    def posts_of(
        self, caller: Caller, person_id: int, wanted: Range, exclude: frozenset[str] = frozenset()
    ) -> Listing[StoredPost]:
        shown = (
            post
            for post in self._shown(self.world.posts.ids_of(person_id), caller)
            if not ("replies" in exclude and post.in_reply_to_id is not None)
            and not ("retweets" in exclude and post.reposted_id is not None)
        )
        listing = _cut(shown, wanted, 3200)
        self._charge(Price.POST_READ, listing)
        return listing

    def post(self, caller: Caller, identity: int) -> StoredPost | None:
        """One version of a post, older versions too; None if there is none to be seen."""
        post = self.world.posts.get(identity)
        if post is None or not self.world.posts.is_visible(post, caller.id):
            return None
        self.world.meter.read(Price.POST_READ, [identity], self.world.now())
        return post

    def user(self, identity: int) -> Person | None:
        return self._looked_up(self.world.people.get(identity))

    def user_named(self, username: str) -> Person | None:
        return self._looked_up(self.world.people.holder(username))

    def messages(
        self, caller: Caller, conversation: str | None, wanted: Range, kinds: frozenset[str]
    ) -> Listing[StoredMessage]:
        """What happened in one of the caller's conversations, or in all; 30 days back."""
        reader = _person(caller)
        messages = self.world.messages
        ids = messages.ids_of(reader.id) if conversation is None else messages.ids_in(conversation)
        if conversation is not None and ids and reader.id not in messages.members(conversation):
            raise forbidden()
        listing = _cut(self._heard(ids, kinds), wanted, None)
        self.world.meter.read(Price.MESSAGE_READ, [each.id for each in listing.items], self.world.now())
        return listing

    # --- writing ---

    def create_post(
        self,
        caller: Caller,
        text: str,
        *,
        in_reply_to: int | None = None,
        quote_of: int | None = None,
        left_out: Sequence[int] = (),
    ) -> StoredPost:
        """A post by a program: a reply needs a summons in that very post, and there is one for each."""
        author = _person(caller)
        if in_reply_to is not None:
            self.world.posts.note_answer(author, in_reply_to)
        post = self.world.post(author, text, in_reply_to=in_reply_to, quote_of=quote_of, left_out=left_out)
        if in_reply_to is not None:
            self.world.posts.mark_answered(author, in_reply_to)
        price = Price.POST_WRITTEN if in_reply_to is None else Price.REPLY_WRITTEN
        self.world.meter.wrote(Price.URL_WRITTEN if post.urls else price)
        return post

    def edit_post(self, caller: Caller, identity: int, text: str) -> StoredPost:
        """A new version of the caller's own post."""
        self._own(caller, identity)
        self.world.meter.wrote(Price.POST_WRITTEN)
        return self.world.edit(identity, text)

    def delete_post(self, caller: Caller, identity: int) -> bool:
        """Deletes the caller's own post with all its versions; False if it was not there."""
        post = self.world.posts.get(identity)
        if post is None or post.deleted:
            return False
        self._own(caller, identity)
        self.world.delete(identity)
        return True

    def send_message(self, caller: Caller, recipient_id: int, text: str) -> StoredMessage:
        """A message to one person, by a program."""
        recipient = self.world.people.get(recipient_id)
        if recipient is None:
            raise forbidden("You do not have permission to DM one or more participants.")
        message = self.world.send_message(_person(caller), recipient, text)
        self.world.meter.wrote(Price.MESSAGE_SENT)
        return message

    def conversation_with(self, caller: Caller, other_id: int) -> str:
        return conversation_of(_person(caller).id, other_id)

    # --- helpers ---

    def _own(self, caller: Caller, identity: int) -> None:
        post = self.world.posts.get(identity)
        if post is None or post.author_id != caller.id:
            raise forbidden("You are not authorized to change this Tweet.")

    def _shown(self, ids: Sequence[int], caller: Caller) -> Iterator[StoredPost]:
        posts = self.world.posts
        for identity in reversed(ids):
            post = posts[identity]
            if posts.is_visible(post, caller.id) and posts.is_current(post):
                yield post

    def _heard(self, ids: Sequence[int], kinds: frozenset[str]) -> Iterator[StoredMessage]:
        oldest = self.world.now() - self.world.limits.message_horizon
        for identity in reversed(ids):
            message = self.world.messages[identity]
            if message.created_at < oldest:
                return
            if message.kind in kinds and self.world.messages.is_visible(message):
                yield message

    def _looked_up(self, person: Person | None) -> Person | None:
        if person is None or not person.findable:
            return None
        self.world.meter.read(Price.USER_READ, [person.id], self.world.now())
        return person

    def _charge(self, price: Price, listing: Listing[StoredPost]) -> None:
        self.world.meter.read(price, [post.id for post in listing.items], self.world.now())


def _person(caller: Caller) -> Person:
    if caller.person is None:
        raise forbidden()
    return caller.person


Item = TypeVar("Item", StoredPost, StoredMessage)


def _cut(newest_first: Iterator[Item], wanted: Range, horizon: int | None) -> Listing[Item]:
    """The page that was asked for, and where the next one begins if there is one."""
    page: list[Item] = []
    for number, item in enumerate(newest_first):
        if (horizon is not None and number >= horizon) or _is_older(item, wanted):
            break
        if _is_newer(item, wanted):
            continue
        if len(page) == wanted.limit:
            return Listing(tuple(page), page[-1].id)
        page.append(item)
    return Listing(tuple(page))


def _is_older(item: StoredPost | StoredMessage, wanted: Range) -> bool:
    return (wanted.since_id is not None and item.id <= wanted.since_id) or (
        wanted.start is not None and item.created_at < wanted.start
    )


def _is_newer(item: StoredPost | StoredMessage, wanted: Range) -> bool:
    until = min(
        (identity for identity in (wanted.until_id, wanted.before_id) if identity is not None), default=None
    )
    return (until is not None and item.id >= until) or (
        wanted.end is not None and item.created_at >= wanted.end
    )
