"""Puts the question: queues a challenge, and issues it in the moment it is about to be sent.

Nonce and expiry are committed by the transaction that claims the first send, before anything goes out, and a resend
of something whose fate is unknown uses both again. There are never two open challenges for one version of an intent.
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import Session

from bot.keys import Keyring, Purpose
from bot.language.catalogue import Label, Parameters, Renamed
from bot.payments.challenge import Asked, code_for, next_letter
from bot.payments.intents import OPEN, IntentState
from bot.payments.records import Records
from bot.payments.rules import Rules
from bot.payments.spending import Spending
from bot.people.people import People, Standing
from bot.store.outbox import Outbox, Priority
from bot.store.tables import ChallengeRow, IntentLineRow, IntentRow, PersonRow
from bot.x.gateway import PostId, UserId
from ledger.clock import Clock, Entropy

NONCE_BYTES = 16
WORTH_SENDING = timedelta(minutes=1)
"""With less than this left, a challenge that surely never went out gets a new time instead."""


@dataclass(frozen=True, slots=True)
class Asking:
    records: Records
    people: People
    outbox: Outbox
    spending: Spending
    keyring: Keyring
    rules: Rules
    clock: Clock
    entropy: Entropy

    def ask(self, session: Session, payer: PersonRow, intent: IntentRow, *, edited: bool) -> None:
        """Queues the question over the intent's present version."""
        taken = [row.letter for row in self.records.challenges(session, payer.user_id, "queued", "open")]
        letter, payer.letters_used = next_letter(payer.letters_used, taken)
        session.add(payer)
        challenge = self.records.add_challenge(session, intent, letter)
        facts = self.facts(session, payer, intent, edited=edited)
        self.outbox.tell(
            session, payer, "challenge", facts, priority=Priority.CHALLENGE, challenge_id=challenge.id
        )

    def facts(self, session: Session, payer: PersonRow, intent: IntentRow, *, edited: bool) -> Parameters:
        """What our own records know of this payment; the code and its time are added when it is sent."""
        lines = self.records.lines(session, intent)
        firsts, changed, waiting, renamed = [], [], [], []
        for line in lines:
            label = self.records.payee_label(session, line)
            if not self.records.has_paid(session, payer.user_id, line.payee_id):
                firsts.append(label)
            if self.records.has_paid_another(session, payer.user_id, line):
                changed.append(label)
            if (change := self._renamed(session, line)) is not None:
                renamed.append(change)
            if self.people.get(session, UserId(line.payee_id)).standing != Standing.ENROLLED:
                waiting.append(label)
        return {
            "total": self.records.total(intent),
            "lines": self.records.told_lines(session, intent),
            "reference": intent.reference,
            "note": self.records.note(intent),
            "first_payment": tuple(firsts) or None,
            "changed_handles": tuple(changed) or None,
            "renamed": tuple(renamed) or None,
            "waiting": tuple(waiting) or None,
            "hold_days": self.rules.hold_lasts.days if waiting else None,
            "edited": edited or None,
            "on_page": self.takes_factor(session, payer, intent) or None,
        }

    def takes_factor(self, session: Session, payer: PersonRow, intent: IntentRow) -> bool:
        """Whether it can only be paid on the page, with a code of the payer's second factor."""
        gifts = [(line.payee_id, line.amount_minor) for line in self.records.lines(session, intent)]
        return self.spending.takes_factor(session, payer, gifts, self.records.total(intent).currency)

    def is_unpaid(self, session: Session, reference: object) -> bool:
        """Whether this order is at its end with nothing paid. One that was edited since may be asked about, or paid."""
        intent = self.records.by_reference(session, str(reference))
        return intent is None or IntentState(intent.state) not in {*OPEN, IntentState.PAID}

    def _renamed(self, session: Session, line: IntentLineRow) -> Renamed | None:
        """Whether this payee's account was seen to change its handle not long ago."""
        payee = self.people.get(session, UserId(line.payee_id))
        since = self.clock() - self.rules.handle_changes_told
        found = self.people.former_handles.newest(session, payee, since=since)
        return Renamed(Label(self.people.label(payee).username), *found) if found else None

    # In the moment of sending

    def issue(self, session: Session, challenge: ChallengeRow, *, may_be_out: bool) -> Asked | None:
        """Gives the challenge its nonce and time and returns what its code is bound to; None if it is asked no more.

        `may_be_out` tells that an earlier send of it has an unknown fate: then nonce and time stay as they are.
        """
        intent = session.get_one(IntentRow, challenge.intent_id)
        if challenge.state not in {"queued", "open"} or intent.state != IntentState.ASKING:
            return None
        if not may_be_out and self._needs_time(challenge):
            challenge.nonce = self.entropy(NONCE_BYTES)
            challenge.key_id = self.keyring.current_id
            challenge.issued_at = self.clock()
            challenge.expires_at = challenge.issued_at + self.rules.challenge_lasts
            challenge.state = "open"
            session.add(challenge)
            session.flush()
        return self.asked(session, challenge)

    def _needs_time(self, challenge: ChallengeRow) -> bool:
        return challenge.expires_at is None or challenge.expires_at - self.clock() < WORTH_SENDING

    def give_up(self, session: Session, challenge: ChallengeRow) -> None:
        """X will not deliver the question: nobody can answer it, so the order ends. Under a post it is said why, unless the
        payer wants to be private."""
        intent = session.get_one(IntentRow, challenge.intent_id)
        if intent.state != IntentState.ASKING or intent.version != challenge.version:
            return
        self.records.end_challenges(session, intent, "closed")
        self.records.close(session, intent, IntentState.LAPSED)
        payer = self.people.get(session, UserId(intent.payer_id))
        if intent.post_id is not None and not payer.is_private:
            version, language = PostId(intent.post_id), self.people.language(payer)
            self.outbox.reply(
                session, payer, intent.order_id, version, "public_start", intent.reference, language
            )

    def asked(self, session: Session, challenge: ChallengeRow) -> Asked:
        """Everything the challenge's code is bound to, read from the rows as they are now."""
        intent = session.get_one(IntentRow, challenge.intent_id)
        lines = self.records.lines(session, intent, challenge.version)
        if challenge.nonce is None or challenge.expires_at is None or challenge.key_id is None:
            raise ValueError("a challenge that was never issued has no code")
        return Asked(
            intent_id=intent.id,
            version=challenge.version,
            payer_id=intent.payer_id,
            lines=tuple((line.payee_id, line.amount_minor) for line in lines),
            fee_minor=intent.fee_minor,
            currency=intent.currency,
            total_minor=sum(line.amount_minor for line in lines) + intent.fee_minor,
            nonce=challenge.nonce,
            expires_at=challenge.expires_at,
            key_id=challenge.key_id,
        )

    def code_facts(self, challenge: ChallengeRow, asked: Asked) -> Parameters:
        """What the question tells of its code and time."""
        return {
            "letter": challenge.letter,
            "code": self.code(asked),
            "minutes": int(self.rules.challenge_lasts.total_seconds() // 60),
            "expires_at": asked.expires_at,
        }

    def code(self, asked: Asked) -> str:
        return code_for(asked, self.keyring.derive(Purpose.CHALLENGE_CODE, asked.key_id))
