"""The people of the sandbox: who they are, what they are called now, and their keys.

The id is the person. A username can be given up and taken by somebody else, as on X; the registry knows who holds one
at this moment and nothing about who held it before.
"""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from bot.sandbox.ground import Ground
from bot.sandbox.refusals import XRefusal, invalid
from bot.x.snowflake import instant_of

_USERNAME = re.compile(r"[A-Za-z0-9_]{1,15}")
NAME_LIMIT = 50


@dataclass(slots=True)
class Keys:
    """What a person's client signs and shows: OAuth 1.0a token and secret, and an OAuth 2 user token."""

    access_token: str
    access_token_secret: str
    user_token: str
    refresh_token: str = ""
    user_token_ends_at: float | None = None
    """In seconds since 1970; None is never, as long as nobody asked for tokens that end."""


@dataclass(slots=True)
class Person:
    id: int
    username: str
    name: str
    keys: Keys
    suspended: bool = False
    protected: bool = False
    gone: bool = False
    """The account was closed by its owner."""
    open_messages: bool = False
    """Anybody may send a message, not only people this one has written to."""
    writes_long: bool = False
    """May write posts beyond the usual length."""
    blocked: set[int] = field(default_factory=set)

    @property
    def created_at(self) -> datetime:
        return instant_of(self.id)

    @property
    def findable(self) -> bool:
        return not (self.suspended or self.gone)


class People:
    """The registry: by id for ever, by username as long as it is held."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._by_id: dict[int, Person] = {}
        self._by_username: dict[str, int] = {}

    def create(self, username: str, name: str) -> Person:
        """A new person. Raises `XRefusal` where the username is taken or none."""
        self._check_free(username)
        identity = self._ground.next_id()
        keys = Keys(
            access_token=f"{identity}-{self._ground.secret(30)}",
            access_token_secret=self._ground.secret(45),
            user_token=self._ground.secret(60),
            refresh_token=self._ground.secret(60),
        )
        person = Person(identity, username, self._name(name, username), keys)
        self._add(person)
        return person

    def rename(self, person: Person, username: str, name: str | None = None) -> None:
        """A new username; the old one is free for anybody from now on."""
        if username.lower() != person.username.lower():
            self._check_free(username)
            del self._by_username[person.username.lower()]
            self._by_username[username.lower()] = person.id
        person.username = username
        if name is not None:
            person.name = self._name(name, username)

    def close(self, person: Person) -> None:
        """The account ends; its username is free, its id is never used again."""
        person.gone = True
        if self._by_username.get(person.username.lower()) == person.id:
            del self._by_username[person.username.lower()]

    def __getitem__(self, identity: int) -> Person:
        return self._by_id[identity]

    def __iter__(self) -> Iterator[Person]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, identity: int) -> Person | None:
        return self._by_id.get(identity)

    def holder(self, username: str) -> Person | None:
        """Who holds this username now."""
        identity = self._by_username.get(username.lower())
        return None if identity is None else self._by_id[identity]

    def dump(self) -> list[dict[str, Any]]:
        return [{**asdict(person), "blocked": sorted(person.blocked)} for person in self]

    def restore(self, people: list[dict[str, Any]]) -> None:
        for each in people:
            each = {**each, "keys": Keys(**each["keys"]), "blocked": set(each["blocked"])}  # noqa: PLW2901
            self._add(Person(**each))

    def _add(self, person: Person) -> None:
        self._by_id[person.id] = person
        if not person.gone:
            self._by_username[person.username.lower()] = person.id

    def _check_free(self, username: str) -> None:
        if not _USERNAME.fullmatch(username):
            raise invalid("username", username, "A username is 1 to 15 letters, digits or underscores.")
        if self.holder(username) is not None:
            raise XRefusal(409, "Conflict", f"The username {username} is taken.")

    @staticmethod
    def _name(name: str, username: str) -> str:
        return " ".join(name.split())[:NAME_LIMIT] or username
