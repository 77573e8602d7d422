"""Puts an outbox row into words, in the moment it is sent. A challenge's code exists only here and in the message."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Final

from sqlmodel import Session

from bot.language.catalogue import Parameters
from bot.language.voice import say
from bot.payments.asking import Asking
from bot.people.people import People
from bot.store.outbox import Outbox
from bot.store.tables import ChallengeRow, OutboxRow
from bot.x.gateway import UserId

ENDED_UNPAID: Final = frozenset({"challenge_expired", "order_lapsed", "order_withdrawn"})
"""Phrases that say of an order that nothing was paid. They may have waited for long."""


@dataclass(frozen=True, slots=True)
class Wording:
    outbox: Outbox
    asking: Asking
    questions: Mapping[str, Callable[[Session, int, Parameters], Parameters | None]]
    """What else holds a code, and where its facts come from, given the person and what the row knows."""
    people: People

    def word(self, session: Session, row: OutboxRow, *, may_be_out: bool) -> str | None:
        """The text to send; None where it is to be said no more: the order it asks about has changed or ended, or one that
        had ended was edited and goes on."""
        parameters = self.outbox.parameters(row)
        if row.phrase in ENDED_UNPAID and not self.asking.is_unpaid(session, parameters.get("reference")):
            return None
        if row.challenge_id is not None:
            challenge = session.get_one(ChallengeRow, row.challenge_id)
            asked = self.asking.issue(session, challenge, may_be_out=may_be_out)
            if asked is None:
                return None
            parameters |= self.asking.code_facts(challenge, asked)
            if parameters.get("on_page"):  # a message does not answer it, so none has its code
                parameters |= {"letter": None, "code": None}
        elif row.phrase in self.questions:
            facts = self.questions[row.phrase](session, row.person_id, parameters)
            if facts is None:
                return None
            parameters |= facts
        person = self.people.get(session, UserId(row.person_id))
        time_zone = self.people.time_zone(person)
        return say(row.phrase, language=row.language, parameters=parameters, time_zone=time_zone)

    def late(self, row: OutboxRow, *, minutes: int) -> str:
        """Why this comes so late: X lets the bot send only so much."""
        return say("late", language=row.language, parameters={"minutes": minutes}, time_zone=UTC)
