"""The desk: takes what arrived, has it read, and brings it to the room that answers it.

One match over the readings. No rule of paying is here and no word is worded here; it only knows who asked, whether in
public or in private, and which room is meant.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlmodel import Session

from bot.errors import Refusal
from bot.language import reader
from bot.language.catalogue import Parameters
from bot.language.reading import (
    Command,
    Nothing,
    NotUnderstood,
    Reading,
    Request,
    Transfer,
    Verb,
)
from bot.obeying import Obeying
from bot.payments.challenge import Answer, parse_answer
from bot.payments.intents import Order
from bot.payments.story import Story
from bot.people.enrolment import Enrolment
from bot.people.erasing import Erasing
from bot.people.freezing import Freezing
from bot.people.people import People, Standing
from bot.store.inbox import Inbox, LookedUp, Received
from bot.store.outbox import Outbox
from bot.store.tables import PersonRow
from bot.telling import HandleUnknown, Said, Telling, missing_of, named
from bot.utterances import utterance_of
from bot.x.gateway import DirectMessage, MessageId, Post, UserId, XUser
from bot.x.snowflake import instant_of
from ledger.money import Money, currency_of


@dataclass(frozen=True, slots=True)
class Desk:
    bot: XUser
    story: Story
    obeying: Obeying
    telling: Telling
    enrolment: Enrolment
    freezing: Freezing
    erasing: Erasing
    people: People
    inbox: Inbox
    outbox: Outbox

    def handle(self, session: Session, received: Received) -> None:
        """Follows one arrival to its end, within the caller's transaction."""
        match received.content:
            case Post() as post:
                self._post(session, received, post)
            case DirectMessage() as message:
                self._message(session, received, message)
            case LookedUp() as result:
                self._looked_up(session, received, result)

    def _post(
        self, session: Session, received: Received, post: Post, known: Mapping[str, XUser] | None = None
    ) -> None:
        if post.author.id == self.bot.id or post.is_repost:
            return
        self.people.notice(session, (*post.people, post.author), seen_in=post.id)
        if self.inbox.newer_version_exists(session, received):
            return
        reading = reader.read(utterance_of(post, self.bot))
        said = Said(self._speaker(session, post.author.id, reading), received, reading.language, post, known)
        self._obey(session, said, reading)

    def _message(
        self,
        session: Session,
        received: Received,
        message: DirectMessage,
        known: Mapping[str, XUser] | None = None,
    ) -> None:
        if message.sender_id == self.bot.id or not message.one_to_one:
            return
        self.people.notice(session, message.people, seen_in=message.id)
        person = self.people.get(session, message.sender_id)
        answer = parse_answer(message.text)
        may_answer = person.standing == Standing.ENROLLED or self.erasing.is_asked(
            session, person, at=instant_of(message.id)
        )
        if answer and may_answer:
            self._answer(session, person, answer, message.id)
            return
        reading = reader.read(utterance_of(message, self.bot, author=self.people.label(person).username))
        person = self._speaker(session, message.sender_id, reading)
        self._obey(session, Said(person, received, reading.language, None, known), reading)

    def _answer(self, session: Session, person: PersonRow, answer: Answer, said_in: MessageId) -> None:
        """While somebody is frozen the only question they can have been asked is whether to thaw; while they are asked
        whether to be erased, it is that one."""
        frozen = person.frozen_at is not None
        answered_at = instant_of(said_in)
        if not frozen and not self.erasing.is_asked(session, person, at=answered_at):
            self.story.answer(session, person, answer, said_in)
            return
        asked = self.freezing if frozen else self.erasing
        try:
            asked.answer(session, person, answer, answered_at=answered_at)
        except Refusal as refusal:
            self.outbox.tell(session, person, refusal.phrase, refusal.parameters)

    def _looked_up(self, session: Session, received: Received, result: LookedUp) -> None:
        """Takes up again what waited for these handles; those nobody holds are now known to be held by nobody."""
        self.people.notice(session, result.found, seen_in=received.chain_id)
        waiting = self.inbox.reopen(session, result.waiting_id)
        known = {user.username.lower(): user for user in result.found}
        match waiting.content:
            case Post() as post:
                self._post(session, waiting, post, known)
            case DirectMessage() as message:
                self._message(session, waiting, message, known)

    def _speaker(self, session: Session, user_id: UserId, reading: Reading) -> PersonRow:
        person = self.people.get(session, user_id)
        if _shows_the_language(reading) and reading.language in reader.LANGUAGES:
            person.spoken_language = reading.language
            session.add(person)
        return person

    def _obey(self, session: Session, said: Said, reading: Reading) -> None:
        if (
            said.private
            and said.person.standing == Standing.STOPPED
            and not self._is_heard(session, said, reading)
        ):
            return
        if said.person.stopped_at is not None and said.received.said_at < said.person.stopped_at:
            return  # "stop" went first, and was said later
        if isinstance(reading, Transfer):
            self._pay(session, said, reading)
            return
        self.story.withdraw(session, said.key)
        match reading:
            case Nothing():
                if said.private and not said.enrolled:
                    self.enrolment.welcome(session, said.person, once=True)
            case Request():
                self.telling.tell(session, said, "not_offered", {})
            case NotUnderstood(reason=reason, part=part, suggestion=suggestion):
                facts: Parameters = {"part": part, "suggestion": suggestion}
                self.telling.tell(
                    session, said, f"reason_{reason.value}", facts, in_public="public_unreadable"
                )
            case Command() as command:
                self.obeying.obey(session, said, command)

    def _is_heard(self, session: Session, said: Said, reading: Reading) -> bool:
        """Of somebody who has stopped."""
        return _comes_back(reading) or self.erasing.is_asked(session, said.person, at=said.received.said_at)

    # Paying

    def _pay(self, session: Session, said: Said, reading: Transfer) -> None:
        if (said.private or said.person.is_private) and not said.enrolled:
            self.enrolment.welcome(session, said.person, once=False)
            return
        missing = missing_of(reading.payees, said.known)
        if missing and said.known is None:
            self.story.refuse(
                session, said.key
            )  # an older version's code counts no more; the result asks anew
            self.telling.look_up(session, said, missing)
            return
        self.erasing.call_off(session, said.person)
        try:
            if missing:
                raise HandleUnknown(username=missing[0])
            self.story.order(session, self._order(said, reading), bot_id=self.bot.id)
        except Refusal as refusal:
            self.story.refuse(session, said.key)
            self.telling.tell(
                session, said, refusal.phrase, refusal.parameters, in_public="public_unreadable"
            )

    def _order(self, said: Said, reading: Transfer) -> Order:
        return Order(
            key=said.key,
            version=said.received.x_id,
            payer_id=UserId(said.person.user_id),
            payees=[named(payee, said.known or {}) for payee in reading.payees],
            amount=Money(reading.amount_minor, currency_of(reading.currency)),
            mode=reading.mode,
            note=reading.note,
            language=said.language,
            said_at=said.received.said_at,
            post_id=said.post.id if said.post else None,
        )


def _shows_the_language(reading: Reading) -> bool:
    """A bare "no", "ok" or "stop" is written in many languages and tells nothing of the person's own."""
    if isinstance(reading, Command):
        return reading.verb not in {Verb.CANCEL, Verb.CONFIRM, Verb.STOP}
    return not isinstance(reading, Nothing)


def _comes_back(reading: Reading) -> bool:
    return isinstance(reading, Command) and reading.verb in {
        Verb.START,
        Verb.STOP,
        Verb.FREEZE,
        Verb.ERASE,
        Verb.MY_DATA,
    }
