"""THE STORY of a payment: order -> intent -> challenge -> answer -> transfer.

Everything here happens inside the one transaction of one event; nothing here talks to X. An order becomes an intent
and a question to its payer. The right answer posts it, once. Whatever goes another way ends in a sentence to the
person and an untouched ledger.
"""

from collections.abc import Sequence

from sqlmodel import Session

from bot.errors import Refusal
from bot.payments.answers import Answers, Judged
from bot.payments.asking import Asking
from bot.payments.authorisations import Cause
from bot.payments.blocks import Blocks
from bot.payments.challenge import Answer
from bot.payments.claims import Claims
from bot.payments.exemptions import Exemptions
from bot.payments.halts import check_may_pay
from bot.payments.intents import (
    OPEN,
    REVIVED_BY_EDIT,
    IntentState,
    LineState,
    Order,
    OrderKey,
    PlannedLine,
    plan,
    total_of,
)
from bot.payments.limits import check_open_orders
from bot.payments.posting import InsufficientMoney, Posting
from bot.payments.records import Records
from bot.payments.reviews import Reviews
from bot.payments.rules import Rules
from bot.payments.spending import Spending, check_not_frozen
from bot.payments.wallets import Wallets
from bot.people.people import People, Standing
from bot.people.terms import Terms
from bot.store.outbox import Outbox, Priority
from bot.store.tables import ChallengeRow, IntentRow, PersonRow
from bot.tracing import follow
from bot.x.gateway import MessageId, UserId
from bot.x.snowflake import instant_of
from ledger.clock import Clock
from ledger.money import Money


class OrderTooOld(Refusal):
    phrase = "order_too_old"


class Story:
    def __init__(
        self,
        *,
        records: Records,
        asking: Asking,
        answers: Answers,
        posting: Posting,
        wallets: Wallets,
        spending: Spending,
        claims: Claims,
        exemptions: Exemptions,
        blocks: Blocks,
        terms: Terms,
        reviews: Reviews,
        people: People,
        outbox: Outbox,
        rules: Rules,
        clock: Clock,
    ) -> None:
        self._records = records
        self._asking = asking
        self._answers = answers
        self._posting = posting
        self._wallets = wallets
        self._spending = spending
        self._claims = claims
        self._exemptions = exemptions
        self._blocks = blocks
        self._terms = terms
        self._reviews = reviews
        self._people = people
        self._outbox = outbox
        self._rules = rules
        self._clock = clock

    # The order

    def order(self, session: Session, order: Order, *, bot_id: UserId) -> None:
        """One version of an order. The highest version wins; what was answered stands whatever is edited later.

        Raises a `Refusal` before anything was written, so that the caller can `refuse` the order and tell the person.
        """
        payer = self._people.get(session, order.payer_id)
        intent = self._records.find(session, order.key)
        if intent and not self._may_change(session, payer, intent, order):
            return
        lines = plan(order, bot_id=bot_id, most_payees=self._rules.payees)
        if payer.standing != Standing.ENROLLED:
            self._check_age(order)
            self._check_open(session, payer, being_replaced=intent)
            self._park(session, payer, order, lines)
            return
        self._check(session, payer, order, lines, being_replaced=intent)
        replaces = intent is not None and IntentState(intent.state) in OPEN
        if intent:
            self._records.end_challenges(session, intent, "superseded")
        if self._terms.outstanding(payer):
            self._records.write_version(session, order, lines, IntentState.PARKED)
            self._terms.show(session, payer, waits=True)
            return
        written = self._records.write_version(session, order, lines, IntentState.ASKING)
        cause = self._exemptions.cause(session, payer, written)
        if cause is Cause.LOW_VALUE and self._asking.takes_factor(session, payer, written):
            cause = None
        if cause is not None:
            self._post(session, payer, written, cause=cause, evidence=order.version)
        else:
            self._asking.ask(session, payer, written, edited=replaces)

    def _may_change(self, session: Session, payer: PersonRow, intent: IntentRow, order: Order) -> bool:
        state = IntentState(intent.state)
        if order.version <= intent.version:
            return False
        if state is IntentState.PAID:
            self._notice(session, payer, "order_already_paid", reference=intent.reference)
            return False
        return state in OPEN or state in REVIVED_BY_EDIT

    def _check(
        self,
        session: Session,
        payer: PersonRow,
        order: Order,
        lines: Sequence[PlannedLine],
        *,
        being_replaced: IntentRow | None,
    ) -> None:
        check_may_pay(session)
        self._check_age(order)
        check_not_frozen(payer)
        self._answers.check_not_locked(payer, self._clock())
        self._check_open(session, payer, being_replaced=being_replaced)
        gifts = [(line.payee.user_id, line.amount.amount_minor) for line in lines]
        self._check_money(session, payer, gifts, total_of(lines))

    def _check_open(self, session: Session, payer: PersonRow, *, being_replaced: IntentRow | None) -> None:
        others = [
            row for row in self._records.open_intents(session, payer.user_id) if row is not being_replaced
        ]
        check_open_orders(len(others), rules=self._rules)

    def _check_age(self, order: Order) -> None:
        if self._clock() - order.said_at > self._rules.order_may_wait:
            raise OrderTooOld

    def _check_money(
        self, session: Session, payer: PersonRow, gifts: Sequence[tuple[int, int]], total: Money
    ) -> None:
        self._blocks.check(session, payer, (payee_id for payee_id, _ in gifts))
        self._spending.check(session, payer, gifts, total.currency)
        available = self._wallets.balance(session, payer).available
        if available < total:
            raise InsufficientMoney(available=available, needed=total)

    def _park(self, session: Session, payer: PersonRow, order: Order, lines: Sequence[PlannedLine]) -> None:
        """The payer has not enrolled: the order waits for them, and they are told so once, in public."""
        intent = self._records.write_version(session, order, lines, IntentState.PARKED)
        if order.post_id is not None:
            self._outbox.reply(
                session, payer, order.key.id, order.post_id, "public_start", intent.reference, order.language
            )

    def refuse(self, session: Session, key: OrderKey) -> None:
        """This order's newest version was refused: an older version of it must not be paid either."""
        self._end(session, key, IntentState.REFUSED)

    def withdraw(self, session: Session, key: OrderKey) -> None:
        """The post was edited into something that is no order, or deleted, before its answer."""
        intent = self._end(session, key, IntentState.WITHDRAWN)
        if intent:
            payer = self._people.get(session, UserId(intent.payer_id))
            self._notice(session, payer, "order_withdrawn", reference=intent.reference)

    def post_is_gone(self, session: Session, payer_id: UserId, chain_id: int) -> None:
        """X says that this post is deleted, or not shown to the bot any more: its order is withdrawn, unless its answer was
        committed before."""
        self._people.lock(session, [payer_id])  # nobody works an answer of theirs meanwhile
        self.withdraw(session, OrderKey("post", chain_id))

    def _end(self, session: Session, key: OrderKey, state: IntentState) -> IntentRow | None:
        intent = self._records.find(session, key)
        if intent is None or IntentState(intent.state) not in OPEN:
            return None
        self._close(session, intent, state, challenges="superseded")
        return intent

    def _close(
        self, session: Session, intent: IntentRow, state: IntentState, *, challenges: str = "closed"
    ) -> None:
        self._records.end_challenges(session, intent, challenges)
        self._records.close(session, intent, state)

    def resume_parked(self, session: Session, payer: PersonRow) -> None:
        """The payer has enrolled, or agreed to new terms: what waited for them is asked now, unless it waited too long or
        cannot be paid."""
        if self._terms.outstanding(payer):
            return
        for intent in self._records.open_intents(session, payer.user_id):
            if intent.state == IntentState.PARKED:
                self._resume(session, payer, intent)

    def _resume(self, session: Session, payer: PersonRow, intent: IntentRow) -> None:
        try:
            if self._is_stale(intent):
                raise OrderTooOld
            self._answers.check_not_locked(payer, self._clock())
            self._check_intent(session, payer, intent)
        except Refusal as refusal:
            self._close(session, intent, IntentState.REFUSED)
            self._outbox.tell(session, payer, refusal.phrase, refusal.parameters)
            return
        intent.state = IntentState.ASKING
        self._asking.ask(session, payer, intent, edited=False)

    def _check_intent(self, session: Session, payer: PersonRow, intent: IntentRow) -> None:
        check_may_pay(session)
        self._terms.check(session, payer)
        gifts = [(line.payee_id, line.amount_minor) for line in self._records.lines(session, intent)]
        self._check_money(session, payer, gifts, self._records.total(intent))

    def _is_stale(self, intent: IntentRow) -> bool:
        return self._clock() - intent.created_at > self._rules.parked_may_wait

    # The answer

    def answer(self, session: Session, payer: PersonRow, answer: Answer, said_in: MessageId) -> None:
        """A message that has the shape of a code. Only the payer's own open question can be answered by it."""
        match self._answers.judge(session, payer, answer, answered_at=instant_of(said_in)):
            case Judged(challenge=ChallengeRow() as challenge, phrase=None):
                intent = session.get_one(IntentRow, challenge.intent_id)
                if self._asking.takes_factor(session, payer, intent):
                    self._send_to_page(session, payer, intent)
                    return
                payer.wrong_answers = payer.locks = 0
                self.pay(session, payer, challenge, cause=Cause.ANSWER, evidence=said_in)
            case Judged(phrase=str() as phrase, parameters=parameters):
                self._outbox.tell(session, payer, phrase, parameters)

    def _send_to_page(self, session: Session, payer: PersonRow, intent: IntentRow) -> None:
        """A message does not confirm this one. It stays open for the page."""
        self._outbox.tell(session, payer, "answer_on_page", {"reference": intent.reference})

    def pay(
        self, session: Session, payer: PersonRow, challenge: ChallengeRow, *, cause: Cause, evidence: int
    ) -> None:
        """The question was answered rightly, in whatever way `cause` tells."""
        intent = session.get_one(IntentRow, challenge.intent_id)
        follow(intent.order_id)
        challenge.state = "answered"
        session.add(challenge)
        session.add(payer)
        self._post(session, payer, intent, cause=cause, evidence=evidence)

    def _post(
        self, session: Session, payer: PersonRow, intent: IntentRow, *, cause: Cause, evidence: int
    ) -> None:
        alarms = self._reviews.alarms(session, payer, intent)
        try:
            self._check_intent(session, payer, intent)
            self._posting.post(
                session, payer, intent, cause=cause, evidence=evidence, for_review=bool(alarms)
            )
        except Refusal as refusal:
            self._close(session, intent, IntentState.REFUSED)
            self._outbox.tell(session, payer, refusal.phrase, refusal.parameters)
            return
        if alarms:
            self._reviews.open(session, payer, intent, alarms)
        else:
            self._give_receipts(session, payer, intent, cause)

    def _give_receipts(self, session: Session, payer: PersonRow, intent: IntentRow, cause: Cause) -> None:
        lines = self._records.lines(session, intent)
        held = [line for line in lines if line.state == LineState.HELD]
        undoable = [line.due_at for line in lines if line.state == LineState.UNDOABLE]
        self._outbox.tell(
            session,
            payer,
            "receipt_payer",
            {
                "total": self._records.total(intent),
                "lines": self._records.told_lines(session, intent),
                "reference": intent.reference,
                "balance": self._wallets.balance(session, payer).available,
                "note": self._records.note(intent),
                "held": self._records.told_lines(session, intent, held) or None,
                "held_until": held[0].due_at if held else None,
                "undo_until": undoable[0] if undoable else None,
                "exempt_trusted": cause is Cause.TRUSTED or None,
                "exempt_small": cause is Cause.LOW_VALUE or None,
            },
            priority=Priority.RECEIPT,
        )
        for line in lines:
            if line.state == LineState.PAID:
                self._claims.tell_payee(session, intent, line)

    def needs_code(self, session: Session, payer: PersonRow) -> None:
        """A bare "yes": only the code says which payment is meant."""
        asked = [
            (row.letter, session.get_one(IntentRow, row.intent_id))
            for row in self._records.challenges(session, payer.user_id, "open")
        ]
        by_message = [
            letter for letter, intent in asked if not self._asking.takes_factor(session, payer, intent)
        ]
        if by_message:
            self._outbox.tell(session, payer, "answer_needs_code", {"letters": tuple(by_message)})
        elif asked:
            self._send_to_page(session, payer, asked[0][1])

    def limit_per_payment(self, session: Session, payer: PersonRow) -> Money:
        """What this person may pay another at once."""
        return self._spending.limit_per_payment(session, payer)

    # The payer says no

    def cancel(self, session: Session, payer: PersonRow, intent: IntentRow) -> None:
        """Nothing is paid, and no code of it counts any more."""
        follow(intent.order_id)
        self._close(session, intent, IntentState.CANCELLED)
        self._outbox.tell(
            session,
            payer,
            "order_cancelled",
            {
                "reference": intent.reference,
                "total": self._records.total(intent),
                "lines": self._records.told_lines(session, intent),
            },
        )

    def cancel_all(self, session: Session, payer: PersonRow) -> None:
        """The payer leaves: nothing they have not answered will be paid."""
        for intent in self._records.open_intents(session, payer.user_id):
            self._close(session, intent, IntentState.CANCELLED)

    # Words

    def _notice(self, session: Session, person: PersonRow, phrase: str, *, reference: str) -> None:
        self._outbox.tell(session, person, phrase, {"reference": reference}, priority=Priority.NOTICE)
