"""The desk: takes what arrived, has it read, and brings it to the room that answers it.

One match over the readings. No rule of paying is here and no word is worded here; it only knows who asked, whether in
public or in private, and which room is meant.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlmodel import Session

from bot.errors import Refusal
from bot.language import reader
from bot.language.catalogue import Parameters
from bot.language.reading import (
    Command,
    Nothing,
    NotUnderstood,
    Payee,
    Reading,
    Request,
    Transfer,
    Verb,
)
from bot.payments.challenge import Answer, parse_answer
from bot.payments.changes import Changes
from bot.payments.inquiries import Inquiries
from bot.payments.intents import Order, OrderedPayee, OrderKey, new_reference
from bot.payments.story import Story
from bot.people.controls import ABOUT_SOMEBODY, VERBS, Controls
from bot.people.devices import Devices
from bot.people.enrolment import Enrolment
from bot.people.erasing import Erasing
from bot.people.freezing import Freezing
from bot.people.people import People, Standing
from bot.store.inbox import Inbox, LookedUp, Received
from bot.store.outbox import Outbox
from bot.store.tables import PersonRow
from bot.utterances import utterance_of
from bot.x.gateway import DirectMessage, MessageId, Post, PostId, UserId, XUser
from bot.x.snowflake import instant_of
from ledger.clock import Entropy
from ledger.money import Money, currency_of

THANKS_AGAIN_AFTER = timedelta(hours=1)
"""Two polite machines could thank each other for ever."""


class HandleUnknown(Refusal):
    phrase = "handle_unknown"


@dataclass(frozen=True, slots=True)
class Said:
    """What one person said, and where: `post` is None in private. `known` are handles that were looked up for it."""

    person: PersonRow
    received: Received
    language: str
    post: Post | None = None
    known: Mapping[str, XUser] | None = field(default=None)

    @property
    def private(self) -> bool:
        return self.post is None

    @property
    def enrolled(self) -> bool:
        return self.person.standing == Standing.ENROLLED

    @property
    def is_an_edit(self) -> bool:
        return self.received.x_id != self.received.chain_id

    @property
    def key(self) -> OrderKey:
        return OrderKey("message" if self.post is None else "post", self.received.chain_id)


@dataclass(frozen=True, slots=True)
class Desk:
    bot: XUser
    story: Story
    changes: Changes
    inquiries: Inquiries
    enrolment: Enrolment
    freezing: Freezing
    controls: Controls
    erasing: Erasing
    devices: Devices
    people: People
    inbox: Inbox
    outbox: Outbox
    entropy: Entropy

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
        if answer and (person.standing == Standing.ENROLLED or self.erasing.is_asked(session, person)):
            self._answer(session, person, answer, message.id)
            return
        reading = reader.read(utterance_of(message, self.bot, author=self.people.label(person).username))
        person = self._speaker(session, message.sender_id, reading)
        self._obey(session, Said(person, received, reading.language, None, known), reading)

    def _answer(self, session: Session, person: PersonRow, answer: Answer, said_in: MessageId) -> None:
        """While somebody is frozen the only question they can have been asked is whether to thaw; while they are asked
        whether to be erased, it is that one."""
        frozen = person.frozen_at is not None
        if not frozen and not self.erasing.is_asked(session, person):
            self.story.answer(session, person, answer, said_in)
            return
        asked = self.freezing if frozen else self.erasing
        try:
            asked.answer(session, person, answer, answered_at=instant_of(said_in))
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
        if said.private and said.person.standing == Standing.STOPPED and not _comes_back(reading):
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
                self._tell(session, said, "not_offered", {})
            case NotUnderstood(reason=reason, part=part, suggestion=suggestion):
                facts: Parameters = {"part": part, "suggestion": suggestion}
                self._tell(session, said, f"reason_{reason.value}", facts, in_public="public_unreadable")
            case Command() as command:
                self._command(session, said, command)

    # Paying

    def _pay(self, session: Session, said: Said, reading: Transfer) -> None:
        if (said.private or said.person.is_private) and not said.enrolled:
            self.enrolment.welcome(session, said.person, once=False)
            return
        missing = _missing(reading.payees, said.known)
        if missing and said.known is None:
            self.story.refuse(
                session, said.key
            )  # an older version's code counts no more; the result asks anew
            self._look_up(session, said, missing)
            return
        self.erasing.call_off(session, said.person)
        try:
            if missing:
                raise HandleUnknown(username=missing[0])
            self.story.order(session, self._order(said, reading), bot_id=self.bot.id)
        except Refusal as refusal:
            self.story.refuse(session, said.key)
            self._tell(session, said, refusal.phrase, refusal.parameters, in_public="public_unreadable")

    def _look_up(self, session: Session, said: Said, usernames: tuple[str, ...]) -> None:
        self.outbox.look_up(session, UserId(said.person.user_id), usernames, for_row=said.received.id)

    def _order(self, said: Said, reading: Transfer) -> Order:
        return Order(
            key=said.key,
            version=said.received.x_id,
            payer_id=UserId(said.person.user_id),
            payees=[_payee(payee, said.known or {}) for payee in reading.payees],
            amount=Money(reading.amount_minor, currency_of(reading.currency)),
            mode=reading.mode,
            note=reading.note,
            language=said.language,
            said_at=said.received.said_at,
            post_id=said.post.id if said.post else None,
        )

    # Orders without an amount

    def _command(self, session: Session, said: Said, command: Command) -> None:
        if command.verb in _MOVES_MONEY and said.is_an_edit:
            return  # the first version was obeyed; an edit of it is no second order
        try:
            if said.enrolled:
                self._for_member(session, said, command)
            elif said.private:
                self._for_newcomer(session, said, command)
            else:
                self._in_public(session, said, command)
        except Refusal as refusal:
            self.outbox.tell(session, said.person, refusal.phrase, refusal.parameters)

    def _for_member(self, session: Session, said: Said, command: Command) -> None:  # noqa: C901, PLR0912 (one match)
        person = said.person
        match command.verb:
            case Verb.START:
                said_at = said.received.said_at
                self.enrolment.start(session, person, said_at=said_at, in_private=said.private)
            case Verb.STOP:
                self.enrolment.stop(session, person, said_at=said.received.said_at)
            case Verb.BALANCE:
                self.inquiries.balance(session, person)
            case Verb.HISTORY:
                self.inquiries.history(session, person)
            case Verb.RECEIPT:
                self.inquiries.receipt(session, person, command.reference)
            case Verb.CANCEL if self.erasing.call_off(session, person):
                self.outbox.tell(session, person, "erase_called_off", {})
            case Verb.CANCEL:
                self.changes.cancel(session, person, command.reference)
            case Verb.DECLINE:
                self.changes.decline(session, person, command.reference)
            case Verb.RETURN:
                said_in = MessageId(said.received.x_id)
                self.changes.give_back(session, person, command.reference, said_in)
            case Verb.FREEZE:
                self.freezing.freeze(session, person)
            case Verb.THAW:
                self.freezing.ask(session, person)
            case Verb.ERASE if said.private:
                self.erasing.ask(session, person)
            case Verb.ERASE:
                self.outbox.tell(session, person, "erase_in_private", {})
            case Verb.MY_DATA:
                self._give_data(session, person)
            case Verb.DEVICES:
                self.devices.invite(session, person)
            case verb if verb in VERBS:
                self._control(session, said, command)
            case Verb.CONFIRM | Verb.GREETING if not said.private:
                return
            case Verb.CONFIRM:
                self.story.needs_code(session, person)
            case _:
                self._for_anyone(session, said, command)

    def _control(self, session: Session, said: Said, command: Command) -> None:
        """What a person decides for themselves. Somebody they name without an id is looked up first."""
        if command.verb not in ABOUT_SOMEBODY:
            self.controls.obey(session, said.person, command.verb, command.argument or "")
            return
        named = () if command.person is None else (command.person,)
        missing = _missing(named, said.known)
        if missing and said.known is None:
            self._look_up(session, said, missing)
            return
        if missing:
            raise HandleUnknown(username=missing[0])
        other_id = _payee(named[0], said.known or {}).user_id if named else None
        self.controls.obey_about(session, said.person, command.verb, other_id)

    def _give_data(self, session: Session, person: PersonRow) -> None:
        """It is too much for a message, and too private to lie in a thread: it is fetched on the page."""
        if self.devices.address:
            self.devices.invite(session, person, phrase="data_link")
        else:
            self.outbox.tell(session, person, "data_no_page", {"operator": self.enrolment.operator_name})

    def _for_newcomer(self, session: Session, said: Said, command: Command) -> None:  # noqa: C901 (one match)
        """In private, from someone who has not enrolled: they may come, leave, decline and ask; the rest is explained."""
        match command.verb:
            case Verb.START:
                self.enrolment.start(session, said.person, said_at=said.received.said_at)
            case Verb.STOP:
                self.enrolment.stop(session, said.person, said_at=said.received.said_at)
            case Verb.DECLINE:
                self.changes.decline(session, said.person, command.reference)
            case Verb.FREEZE if said.person.wallet_id is not None:
                self.freezing.freeze(session, said.person)
            case Verb.ERASE:
                self.erasing.ask(session, said.person)
            case Verb.MY_DATA:
                self._give_data(session, said.person)
            case Verb.CANCEL if self.erasing.call_off(session, said.person):
                self.outbox.tell(session, said.person, "erase_called_off", {})
            case Verb.LANGUAGE:
                self._control(session, said, command)
            case Verb.HELP:
                self._for_anyone(session, said, command)
            case Verb.GREETING:
                self.enrolment.welcome(session, said.person, once=True)
            case _:
                self.enrolment.welcome(session, said.person, once=False)

    def _in_public(self, session: Session, said: Said, command: Command) -> None:
        """Under a post of someone who has not enrolled: consent is given in private only."""
        match command.verb:
            case Verb.STOP:
                self.enrolment.leave(session, said.person, said_at=said.received.said_at)
            case Verb.FREEZE if said.person.wallet_id is not None:
                self.freezing.freeze(session, said.person)
            case Verb.GREETING | Verb.CONFIRM | Verb.CANCEL:
                return
            case _:
                self._reply(session, said, "public_start")

    def _for_anyone(self, session: Session, said: Said, command: Command) -> None:
        match command.verb:
            case Verb.HELP:
                facts: Parameters = {
                    "bot": self.bot.username,
                    "limit": self.story.limit_per_payment(session, said.person),
                }
                self.outbox.tell(session, said.person, "help", facts)
            case Verb.GREETING:
                if not self.outbox.told_lately(session, said.person, "thanks", within=THANKS_AGAIN_AFTER):
                    self.outbox.tell(session, said.person, "thanks", {})
            case _:
                self.outbox.tell(session, said.person, "not_offered", {})

    # Telling

    def _tell(
        self, session: Session, said: Said, phrase: str, facts: Parameters, *, in_public: str = "public_start"
    ) -> None:
        """To an enrolled person in private; to others what can be said in public, or who we are."""
        if said.enrolled:
            self.outbox.tell(session, said.person, phrase, facts)
        elif said.private:
            self.enrolment.welcome(session, said.person, once=False)
        else:
            self._reply(session, said, in_public)

    def _reply(self, session: Session, said: Said, phrase: str) -> None:
        if said.post is None:
            return
        if said.person.is_private:
            self.enrolment.welcome(session, said.person, once=False)
            return
        reference = new_reference(self.entropy).replace("P-", "R-")
        self.outbox.reply(
            session,
            said.person,
            said.received.chain_id,
            PostId(said.post.id),
            phrase,
            reference,
            self.people.language(said.person),
        )


def _shows_the_language(reading: Reading) -> bool:
    """A bare "no", "ok" or "stop" is written in many languages and tells nothing of the person's own."""
    if isinstance(reading, Command):
        return reading.verb not in {Verb.CANCEL, Verb.CONFIRM, Verb.STOP}
    return not isinstance(reading, Nothing)


_MOVES_MONEY = frozenset({Verb.CANCEL, Verb.DECLINE, Verb.RETURN})


def _comes_back(reading: Reading) -> bool:
    return isinstance(reading, Command) and reading.verb in {
        Verb.START,
        Verb.STOP,
        Verb.FREEZE,
        Verb.ERASE,
        Verb.MY_DATA,
    }


def _missing(payees: Sequence[Payee], known: Mapping[str, XUser] | None) -> tuple[str, ...]:
    return tuple(
        payee.username for payee in payees if payee.user_id is None and payee.username not in (known or {})
    )


def _payee(payee: Payee, known: Mapping[str, XUser]) -> OrderedPayee:
    """The id from the text's own entity; only where it gave none, the one that was looked up."""
    user_id = payee.user_id if payee.user_id is not None else known[payee.username].id
    return OrderedPayee(user_id, payee.username)
