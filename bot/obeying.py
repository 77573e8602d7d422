"""Orders without an amount: who said one decides what it may do, and which room does it.

One match for members, one for those who have not enrolled, one for what such people say in public.
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import Session

from bot.errors import Refusal
from bot.language.catalogue import Parameters
from bot.language.reading import Command, Verb
from bot.payments.changes import Changes
from bot.payments.inquiries import Inquiries
from bot.payments.story import Story
from bot.payments.topping_up import TopUps
from bot.people.controls import ABOUT_SOMEBODY, VERBS, Controls
from bot.people.devices import Devices
from bot.people.enrolment import Enrolment
from bot.people.erasing import Erasing
from bot.people.freezing import Freezing
from bot.store.outbox import Outbox
from bot.store.tables import PersonRow
from bot.telling import HandleUnknown, Said, Telling, missing_of, named
from bot.x.gateway import MessageId, XUser

THANKS_AGAIN_AFTER = timedelta(hours=1)
"""Two polite machines could thank each other for ever."""
_MOVES_MONEY = frozenset({Verb.CANCEL, Verb.DECLINE, Verb.RETURN, Verb.TOP_UP})


@dataclass(frozen=True, slots=True)
class Obeying:
    bot: XUser
    story: Story
    changes: Changes
    inquiries: Inquiries
    enrolment: Enrolment
    freezing: Freezing
    controls: Controls
    erasing: Erasing
    devices: Devices
    telling: Telling
    top_ups: TopUps | None
    outbox: Outbox

    def obey(self, session: Session, said: Said, command: Command) -> None:
        if command.verb in _MOVES_MONEY and said.is_an_edit:
            return  # the first version was obeyed; an edit of it is no second order
        if command.verb is Verb.START:
            self.erasing.call_off(session, said.person)
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
            case Verb.TOP_UP:
                self._top_up(session, said, command)
            case verb if verb in VERBS:
                self._control(session, said, command)
            case Verb.CONFIRM | Verb.GREETING if not said.private:
                return
            case Verb.CONFIRM:
                self.story.needs_code(session, person)
            case _:
                self._for_anyone(session, said, command)

    def _top_up(self, session: Session, said: Said, command: Command) -> None:
        """The page is made by the processor; its address follows in a message of its own."""
        if self.top_ups is None:
            self.outbox.tell(session, said.person, "top_up_not_offered", {})
            return
        self.top_ups.ask(
            session,
            said.person,
            command.amount_minor,
            asked_in=said.received.chain_id,
            language=said.language,
        )

    def _control(self, session: Session, said: Said, command: Command) -> None:
        """What a person decides for themselves. Somebody they name without an id is looked up first."""
        if command.verb not in ABOUT_SOMEBODY:
            self.controls.obey(session, said.person, command.verb, command.argument or "")
            return
        person = command.person
        missing = missing_of(() if person is None else (person,), said.known)
        if missing and said.known is None:
            self.telling.look_up(session, said, missing)
            return
        if missing:
            raise HandleUnknown(username=missing[0])
        other_id = None if person is None else named(person, said.known or {}).user_id
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
                self.freezing.freeze(session, said.person, in_private=True)
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
                self.telling.reply(session, said, "public_start")

    def _for_anyone(self, session: Session, said: Said, command: Command) -> None:
        match command.verb:
            case Verb.HELP:
                facts: Parameters = {
                    "bot": self.bot.username,
                    "limit": self.story.limit_per_payment(session, said.person),
                    "cards": self.top_ups is not None or None,
                }
                self.outbox.tell(session, said.person, "help", facts)
            case Verb.GREETING:
                if not self.outbox.told_lately(session, said.person, "thanks", within=THANKS_AGAIN_AFTER):
                    self.outbox.tell(session, said.person, "thanks", {})
            case _:
                self.outbox.tell(session, said.person, "not_offered", {})
