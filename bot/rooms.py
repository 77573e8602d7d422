"""The rooms that need nothing of the outside but a clock and chance: what a payment passes through, and its people.

The bot is built from them, and so is what admins do by command: both move money by the same rules.
"""

from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from bot.keys import Keyring, keyring_from
from bot.limits_file import limits_of
from bot.payments.answers import Answers
from bot.payments.asking import Asking
from bot.payments.authorisations import Authorisations
from bot.payments.blocks import Blocks
from bot.payments.claims import Claims
from bot.payments.exemptions import Exemptions
from bot.payments.posting import Posting
from bot.payments.records import Records
from bot.payments.reviews import Reviews
from bot.payments.rules import LowValue, Review, Rules
from bot.payments.spending import Spending
from bot.payments.story import Story
from bot.payments.wallets import Wallets
from bot.people.erasures import Erasures
from bot.people.forgetting import Forgetting
from bot.people.freezing import Freezing
from bot.people.locking import Locking
from bot.people.own_data import OwnData
from bot.people.people import People
from bot.people.second_factor import SecondFactors
from bot.people.terms import Terms
from bot.settings import Settings
from bot.store.outbox import Outbox
from bot.store.vault import Vault
from ledger.book import Ledger
from ledger.clock import Clock, Entropy, IdSource


@dataclass(frozen=True, slots=True)
class Rooms:
    clock: Clock
    ids: IdSource
    entropy: Entropy
    keyring: Keyring
    vault: Vault
    rules: Rules
    ledger: Ledger
    people: People
    erasures: Erasures
    outbox: Outbox
    factors: SecondFactors
    records: Records
    wallets: Wallets
    authorisations: Authorisations
    asking: Asking
    answers: Answers
    spending: Spending
    claims: Claims
    reviews: Reviews
    terms: Terms
    blocks: Blocks
    story: Story
    freezing: Freezing
    forgetting: Forgetting
    own_data: OwnData


def rooms_of(settings: Settings, *, clock: Clock, entropy: Entropy, bot_username: str = "smoney") -> Rooms:
    """Plain constructor calls. `bot_username` names the account in people's authenticator apps. Raises `Misconfigured`
    without the keys, or for a limits file that is wrong."""
    ids, keyring, rules = IdSource(clock, entropy), keyring_from(settings), rules_of(settings)
    vault = Vault(keyring, entropy)
    book = Ledger(clock=clock, ids=ids)
    people = People(vault=vault, ids=ids, language=settings.language, time_zone=ZoneInfo(settings.time_zone))
    erasures = Erasures(vault)
    outbox = Outbox(people=people, vault=vault, clock=clock, ids=ids)
    locking = Locking(rules.wrong_answers_before_lock, rules.first_lock, rules.longest_lock)
    factors = SecondFactors(people, outbox, vault, clock, ids, entropy, bot_username, locking)
    records = Records(people=people, vault=vault, clock=clock, ids=ids, entropy=entropy)
    wallets = Wallets(ledger=book, ids=ids)
    authorisations = Authorisations(keyring=keyring, clock=clock, ids=ids)
    spending = Spending(records, wallets, people, factors, limits_of(settings), clock)
    asking = Asking(records, people, outbox, spending, keyring, rules, clock, entropy)
    answers = Answers(records, asking, keyring, rules, clock)
    posting = Posting(book, wallets, people, records, authorisations, spending, rules, clock)
    claims = Claims(book, wallets, people, records, authorisations, spending, outbox, rules, clock)
    reviews = Reviews(records, claims, people, outbox, rules, clock, ids)
    terms = Terms(settings.terms_version, settings.terms_url, outbox)
    blocks = Blocks(people, clock, ids)
    story = Story(
        records=records,
        asking=asking,
        answers=answers,
        posting=posting,
        wallets=wallets,
        spending=spending,
        claims=claims,
        exemptions=Exemptions(records, rules),
        blocks=blocks,
        terms=terms,
        reviews=reviews,
        people=people,
        outbox=outbox,
        rules=rules,
        clock=clock,
    )
    return Rooms(
        clock=clock,
        ids=ids,
        entropy=entropy,
        keyring=keyring,
        vault=vault,
        rules=rules,
        ledger=book,
        people=people,
        erasures=erasures,
        outbox=outbox,
        factors=factors,
        records=records,
        wallets=wallets,
        authorisations=authorisations,
        asking=asking,
        answers=answers,
        spending=spending,
        claims=claims,
        reviews=reviews,
        terms=terms,
        blocks=blocks,
        story=story,
        freezing=Freezing(story, wallets, answers, factors, people, outbox, keyring, clock, entropy),
        forgetting=Forgetting(people, erasures, wallets, authorisations, clock, ids),
        own_data=OwnData(people, vault, clock),
    )


def rules_of(settings: Settings) -> Rules:
    return Rules(
        challenge_lasts=timedelta(minutes=settings.challenge_minutes),
        order_may_wait=timedelta(minutes=settings.order_max_age_minutes),
        parked_may_wait=timedelta(minutes=settings.parked_minutes),
        answer_may_wait=timedelta(hours=settings.answer_max_age_hours),
        hold_lasts=timedelta(days=settings.hold_days),
        wrong_answers_before_lock=settings.wrong_answers_before_lock,
        first_lock=timedelta(minutes=settings.lock_minutes),
        longest_lock=timedelta(minutes=settings.lock_max_minutes),
        wrong_answers_in_30_days=settings.wrong_answers_in_30_days,
        undo_lasts=timedelta(seconds=settings.undo_seconds),
        trusted_payees=settings.trusted_payees,
        handle_changes_told=timedelta(days=settings.handle_change_days),
        low_value=_low_value_of(settings) if settings.low_value_payments else None,
        review=Review(
            new_payees=settings.review_new_payees,
            refusals=settings.review_refusals,
            reissued_handles=settings.review_reissued_handles,
            changed_handles=settings.review_changed_handles,
            lasts=timedelta(days=settings.review_days),
        ),
    )


def _low_value_of(settings: Settings) -> LowValue:
    by_amount = settings.low_value_counter == "amount"
    return LowValue(
        most_minor=settings.low_value_most_minor,
        sum_minor=settings.low_value_sum_minor if by_amount else None,
        payments=None if by_amount else settings.low_value_payments_in_a_row,
    )
