"""Direct messages: conversations of two, and groups.

A conversation of two is named `smaller-larger` by the ids of the two, a group by a number. A message goes to somebody
only if that person has written to the sender before (or takes messages from anybody); this is X's rule that shapes the
whole bot.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from bot.sandbox.ground import Ground
from bot.sandbox.people import People, Person
from bot.sandbox.posts import Mention
from bot.sandbox.refusals import NO_MESSAGE_PERMISSION, forbidden, invalid
from bot.x.snowflake import instant_of
from bot.x.text import extract_entities, normalise

LONGEST_MESSAGE = 10_000
MESSAGE_CREATE = "MessageCreate"
PARTICIPANTS_JOIN = "ParticipantsJoin"
PARTICIPANTS_LEAVE = "ParticipantsLeave"


@dataclass(slots=True)
class StoredMessage:
    """Something that happened in a conversation: somebody wrote, joined or left."""

    id: int
    kind: str
    conversation_id: str
    sender_id: int
    text: str
    visible_at: datetime
    mentions: tuple[Mention, ...] = ()
    participants: tuple[int, ...] = ()

    @property
    def created_at(self) -> datetime:
        return instant_of(self.id)


def conversation_of(first: int, second: int) -> str:
    return f"{min(first, second)}-{max(first, second)}"


class Messages:
    """All conversations and what was said in them."""

    def __init__(self, ground: Ground, people: People) -> None:
        self._ground = ground
        self._people = people
        self._by_id: dict[int, StoredMessage] = {}
        self._by_conversation: dict[str, list[int]] = {}
        self._by_person: dict[int, list[int]] = {}
        self._members: dict[str, tuple[int, ...]] = {}
        self._written: set[tuple[int, int]] = set()

    def may_write(self, sender: Person, recipient: Person) -> bool:
        if sender.id in recipient.blocked or recipient.id in sender.blocked or not recipient.findable:
            return False
        return recipient.open_messages or (recipient.id, sender.id) in self._written

    def send(self, sender: Person, recipient: Person, text: str) -> StoredMessage:
        """A message to one person. Raises `XRefusal` where X would not let it through."""
        if sender.id == recipient.id or not self.may_write(sender, recipient):
            raise forbidden(NO_MESSAGE_PERMISSION)
        conversation = conversation_of(sender.id, recipient.id)
        self._members.setdefault(conversation, (sender.id, recipient.id))
        self._written.add((sender.id, recipient.id))
        return self._said(conversation, sender, self._accepted(text))

    def create_group(self, creator: Person, others: list[Person]) -> str:
        """A group conversation; its name."""
        members = tuple(dict.fromkeys([creator.id, *(person.id for person in others)]))
        conversation = str(self._ground.next_id())
        self._members[conversation] = members
        self._happened(conversation, creator, PARTICIPANTS_JOIN, "", participants=members)
        return conversation

    def send_to_group(self, sender: Person, conversation: str, text: str) -> StoredMessage:
        if sender.id not in self._members.get(conversation, ()):
            raise forbidden(NO_MESSAGE_PERMISSION)
        return self._said(conversation, sender, self._accepted(text))

    def members(self, conversation: str) -> tuple[int, ...]:
        return self._members.get(conversation, ())

    def groups_of(self, person_id: int) -> list[str]:
        return [name for name, members in self._members.items() if person_id in members and "-" not in name]

    def __getitem__(self, identity: int) -> StoredMessage:
        return self._by_id[identity]

    def ids_of(self, person_id: int) -> list[int]:
        """Everything that happened in this person's conversations, oldest first."""
        return self._by_person.get(person_id, [])

    def ids_in(self, conversation: str) -> list[int]:
        return self._by_conversation.get(conversation, [])

    def is_visible(self, message: StoredMessage) -> bool:
        return message.visible_at <= self._ground.now()

    def dump(self) -> dict[str, Any]:
        messages = [
            {**asdict(each), "visible_at": each.visible_at.isoformat()} for each in self._by_id.values()
        ]
        return {"messages": messages, "members": self._members, "written": sorted(self._written)}

    def restore(self, dumped: dict[str, Any]) -> None:
        self._members = {name: tuple(members) for name, members in dumped["members"].items()}
        self._written = {(sender, recipient) for sender, recipient in dumped["written"]}
        for each in dumped["messages"]:
            found = {
                "visible_at": datetime.fromisoformat(each["visible_at"]),
                "mentions": tuple(Mention(**mention) for mention in each["mentions"]),
                "participants": tuple(each["participants"]),
            }
            self._index(StoredMessage(**{**each, **found}))

    @staticmethod
    def _accepted(text: str) -> str:
        typed = normalise(text)
        if not typed or len(typed) > LONGEST_MESSAGE:
            raise invalid("text", text[:50], f"A message has 1 to {LONGEST_MESSAGE} characters.")
        return typed

    def _said(self, conversation: str, sender: Person, text: str) -> StoredMessage:
        mentions = tuple(
            Mention(each.start, each.end, each.text, person.id)
            for each in extract_entities(text).mentions
            if (person := self._people.holder(each.text)) is not None and person.findable
        )
        return self._happened(conversation, sender, MESSAGE_CREATE, text, mentions=mentions)

    def _happened(
        self,
        conversation: str,
        sender: Person,
        kind: str,
        text: str,
        *,
        mentions: tuple[Mention, ...] = (),
        participants: tuple[int, ...] = (),
    ) -> StoredMessage:
        message = StoredMessage(
            id=self._ground.next_id(),
            kind=kind,
            conversation_id=conversation,
            sender_id=sender.id,
            text=text,
            visible_at=self._ground.visible_from(),
            mentions=mentions,
            participants=participants,
        )
        self._index(message)
        return message

    def _index(self, message: StoredMessage) -> None:
        self._by_id[message.id] = message
        self._by_conversation.setdefault(message.conversation_id, []).append(message.id)
        for member in self._members[message.conversation_id]:
            self._by_person.setdefault(member, []).append(message.id)
