"""What was said and where, and how it is answered: in private, or under the post."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlmodel import Session

from bot.errors import Refusal
from bot.language.catalogue import Parameters
from bot.language.reading import Payee
from bot.payments.intents import OrderedPayee, OrderKey, new_reference
from bot.people.enrolment import Enrolment
from bot.people.people import People, Standing
from bot.store.inbox import Received
from bot.store.outbox import Outbox
from bot.store.tables import PersonRow
from bot.x.gateway import Post, PostId, UserId, XUser
from ledger.clock import Entropy


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
class Telling:
    enrolment: Enrolment
    people: People
    outbox: Outbox
    entropy: Entropy

    def tell(
        self, session: Session, said: Said, phrase: str, facts: Parameters, *, in_public: str = "public_start"
    ) -> None:
        """To an enrolled person in private; to others what can be said in public, or who we are."""
        if said.enrolled:
            self.outbox.tell(session, said.person, phrase, facts)
        elif said.private:
            self.enrolment.welcome(session, said.person, once=False)
        else:
            self.reply(session, said, in_public)

    def reply(self, session: Session, said: Said, phrase: str) -> None:
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

    def look_up(self, session: Session, said: Said, usernames: tuple[str, ...]) -> None:
        """Asks X who holds these handles; the result takes up again what was said."""
        self.outbox.look_up(session, UserId(said.person.user_id), usernames, for_row=said.received.id)


def missing_of(payees: Sequence[Payee], known: Mapping[str, XUser] | None) -> tuple[str, ...]:
    """The handles nobody has told the id of: neither the text's own entities nor a look-up."""
    return tuple(
        payee.username for payee in payees if payee.user_id is None and payee.username not in (known or {})
    )


def named(payee: Payee, known: Mapping[str, XUser]) -> OrderedPayee:
    """The id from the text's own entity; only where it gave none, the one that was looked up."""
    user_id = payee.user_id if payee.user_id is not None else known[payee.username].id
    return OrderedPayee(user_id, payee.username)
