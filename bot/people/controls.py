"""What people decide for themselves: whom they block, what others hear of them, what they are told, in which language and
time zone. Each is done at once and answered with one message; none moves money.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlmodel import Session

from bot.errors import Refusal
from bot.language import reader
from bot.language.catalogue import Label, Parameters
from bot.language.reading import Verb
from bot.payments.blocks import Blocks
from bot.people import time_zones
from bot.people.people import People
from bot.people.trusting import Trusting
from bot.store.outbox import Outbox
from bot.store.tables import PersonRow
from bot.x.gateway import UserId

VERBS: Final = frozenset(
    {Verb.BLOCK, Verb.UNBLOCK, Verb.PRIVATE, Verb.PUBLIC, Verb.MUTE, Verb.UNMUTE, Verb.TIME_ZONE, Verb.LANGUAGE,
     Verb.SETTINGS, Verb.TRUST, Verb.UNTRUST}
)  # fmt: skip
"""What is answered here."""
ABOUT_SOMEBODY: Final = frozenset({Verb.BLOCK, Verb.UNBLOCK, Verb.TRUST, Verb.UNTRUST})
_SWITCHES: Final[Mapping[Verb, tuple[str, bool, str]]] = {
    Verb.PRIVATE: ("is_private", True, "private_on"),
    Verb.PUBLIC: ("is_private", False, "private_off"),
    Verb.MUTE: ("receipts_muted", True, "receipts_muted"),
    Verb.UNMUTE: ("receipts_muted", False, "receipts_unmuted"),
}
"""What each turns on or off, and how that is told."""


class NobodyNamed(Refusal):
    """It takes one person, and not oneself or the bot."""

    phrase = "person_missing"


@dataclass(frozen=True, slots=True)
class Controls:
    blocks: Blocks
    trusting: Trusting
    people: People
    outbox: Outbox
    bot_id: UserId

    def obey(self, session: Session, person: PersonRow, verb: Verb, argument: str) -> None:
        """What concerns nobody else."""
        match verb:
            case Verb.LANGUAGE:
                self._choose_language(session, person, argument)
            case Verb.TIME_ZONE:
                self._choose_time_zone(session, person, argument)
            case Verb.SETTINGS:
                self.outbox.tell(session, person, "settings", self.settings(session, person))
            case _:
                self._switch(session, person, *_SWITCHES[verb])

    def obey_about(self, session: Session, person: PersonRow, verb: Verb, other_id: UserId | None) -> None:
        """What concerns one other person. Raises `NobodyNamed`, and what `Trusting.ask` does."""
        if other_id is None or other_id in {person.user_id, self.bot_id}:
            raise NobodyNamed
        label = self.people.shown(self.people.get(session, other_id))
        match verb:
            case Verb.BLOCK:
                self.trusting.stop(session, person, other_id)
                self.blocks.block(session, person, other_id)
                self.outbox.tell(session, person, "blocked", {"payee": label})
            case Verb.UNBLOCK:
                self.blocks.unblock(session, person, other_id)
                self.outbox.tell(session, person, "unblocked", {"payee": label})
            case Verb.TRUST:
                self.trusting.ask(session, person, other_id)
            case _:
                self.trusting.stop(session, person, other_id)
                self.outbox.tell(session, person, "untrusted", {"payee": label})

    def settings(self, session: Session, person: PersonRow) -> Parameters:
        """All that can be chosen, as it is now; of two that exclude each other one is None."""
        return {
            "languages": (self.people.language(person),),
            "time_zone": str(self.people.time_zone(person)),
            "private": person.is_private or None,
            "public": not person.is_private or None,
            "muted": person.receipts_muted or None,
            "unmuted": not person.receipts_muted or None,
            "blocked": self._labels(session, self.blocks.of(session, person)),
            "trusted": self.trusting.labels(session, person) or None,
        }

    def _labels(self, session: Session, user_ids: Sequence[UserId]) -> tuple[Label, ...] | None:
        return tuple(self.people.shown(self.people.get(session, user_id)) for user_id in user_ids) or None

    def _switch(self, session: Session, person: PersonRow, column: str, on: bool, phrase: str) -> None:  # noqa: FBT001
        setattr(person, column, on)
        session.add(person)
        session.flush()
        self.outbox.tell(session, person, phrase, {})

    def _choose_language(self, session: Session, person: PersonRow, language: str) -> None:
        if language not in reader.LANGUAGES:
            self.outbox.tell(session, person, "language_unknown", {"languages": reader.LANGUAGES})
            return
        person.chosen_language = language
        session.add(person)
        self.outbox.tell(session, person, "language_set", {})

    def _choose_time_zone(self, session: Session, person: PersonRow, words: str) -> None:
        name = time_zones.find(words)
        if name is None:
            self.outbox.tell(session, person, "time_zone_unknown", {})
            return
        person.time_zone = name
        session.add(person)
        self.outbox.tell(session, person, "time_zone_set", {"time_zone": name})
