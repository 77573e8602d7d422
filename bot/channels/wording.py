"""Puts an outbox row into words, in the moment it is sent. A challenge's code exists only here and in the message."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC

from sqlmodel import Session

from bot.language.catalogue import Parameters
from bot.language.voice import say
from bot.payments.asking import Asking
from bot.people.people import People
from bot.store.outbox import Outbox
from bot.store.tables import ChallengeRow, OutboxRow
from bot.x.gateway import UserId


@dataclass(frozen=True, slots=True)
class Wording:
    outbox: Outbox
    asking: Asking
    questions: Mapping[str, Callable[[Session, int], Parameters | None]]
    """What else holds a code, and where its facts come from."""
    people: People

    def word(self, session: Session, row: OutboxRow, *, may_be_out: bool) -> str | None:
        """The text to send; None where it is to be said no more (the order it asks about has changed or ended)."""
        parameters = self.outbox.parameters(row)
        if row.challenge_id is not None:
            challenge = session.get_one(ChallengeRow, row.challenge_id)
            asked = self.asking.issue(session, challenge, may_be_out=may_be_out)
            if asked is None:
                return None
            parameters |= self.asking.code_facts(challenge, asked)
        elif row.phrase in self.questions:
            facts = self.questions[row.phrase](session, row.person_id)
            if facts is None:
                return None
            parameters |= facts
        person = self.people.get(session, UserId(row.person_id))
        time_zone = self.people.time_zone(person)
        return say(row.phrase, language=row.language, parameters=parameters, time_zone=time_zone)

    def late(self, row: OutboxRow, *, minutes: int) -> str:
        """Why this comes so late: X lets the bot send only so much."""
        return say("late", language=row.language, parameters={"minutes": minutes}, time_zone=UTC)
