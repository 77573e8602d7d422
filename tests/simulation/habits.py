"""What people do: each habit is one act of one person, told in a line, or None where there is nothing for it to be done.

People know what they did and what they were told. They speak English, so that what they read can be understood.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.sandbox.refusals import XRefusal
from tests.simulation import cast, deciding
from tests.simulation.cast import Player
from tests.simulation.model import MINUTE, Asked, Version

if TYPE_CHECKING:
    from tests.simulation.run import Run

Habit = Callable[["Run", Player], str | None]
NONSENSE = (
    "what a day",
    "is 5€ a lot?",
    "send money",
    "don't send 5€ to @ann",
    "send 1,000€ to @ann",
    "pay @ann",
    "lol",
)
QUESTIONS = ("balance", "history", "receipt", "help", "thanks", "yes", "hello")
SMALL = ("0.50", "1", "2.20", "5", "7.35", "12", "20")
LARGE = ("60", "120", "240", "260")


def _amount(run: "Run") -> str:
    return run.chance.choice(LARGE if run.chance.happens(0.08) else SMALL)


def _minor(amount: str) -> int:
    euros, _, cents = amount.partition(".")
    return int(euros) * 100 + int((cents + "00")[:2])


def _payees(run: "Run", player: Player, number: int) -> list[Player]:
    others = [each for each in run.players.values() if each is not player]
    weights = [3 if each.name in (*cast.COMERS, *cast.STRANGERS) else 4 for each in others]
    chosen: dict[str, Player] = {}
    while len(chosen) < number:
        each = run.chance.choices(others, weights)[0]
        chosen[each.name] = each
    return list(chosen.values())


def _order(run: "Run", player: Player) -> tuple[str, Version]:
    """The words of an order nobody gave before, and what they mean."""
    kind = run.chance.choice(("one", "one", "one", "one", "each", "split"))
    payees = _payees(run, player, 1 if kind == "one" else run.chance.choice((2, 3)))
    amount = _amount(run)
    handles = [run.handle(payee) for payee in payees]
    named = " and ".join("@" + handle for handle in handles)
    note = run.new_note()
    if kind == "split":
        words = f"split {amount}€ between {named} for {note}"
        share, rest = divmod(_minor(amount), len(payees))
        amounts = tuple(share + (1 if index < rest else 0) for index in range(len(payees)))
    else:
        words = f"send {amount}€ {'each ' if kind == 'each' else ''}to {named} for {note}"
        amounts = (_minor(amount),) * len(payees)
    version = Version(
        note=note,
        author=player.id,
        chain=0,
        handles=tuple(handles),
        payees=tuple(payee.id for payee in payees),
        amounts=amounts,
        at=run.clock(),
    )
    return words, version


def tweets_an_order(run: "Run", player: Player) -> str | None:
    words, version = _order(run, player)
    post = run.world.post(player.id, f"@smoney {words}")
    version.chain = version.post = post.id
    run.orders(version)
    player.posts.append(post.id)
    return f"tweets “{words}”"


def corrects_at_once(run: "Run", player: Player) -> str | None:
    """Both versions are on their way together, and may arrive in any order."""
    first = tweets_an_order(run, player)
    words, version = _order(run, player)
    edited = run.world.edit(player.posts[-1], f"@smoney {words}")
    version.chain, version.post = edited.first_id, edited.id
    run.model.changes(edited.first_id, run.clock())
    run.orders(version)
    player.posts.append(edited.id)
    return f"{first}, and at once edits it into “{words}”"


def orders_in_private(run: "Run", player: Player) -> str | None:
    words, version = _order(run, player)
    run.orders(version)
    message = run.says(player, words)
    version.chain = message
    version.by_look_up = run.hides_ids(message)
    return f"writes “{words}”" + (" (X leaves the ids out)" if version.by_look_up else "")


def _open(run: "Run", player: Player) -> list[Asked]:
    """Questions that have not been answered or ended, as far as this person knows."""
    now = run.clock()
    return [
        asked
        for asked in run.questions_of(player)
        if asked.ended is None and now < asked.question.until and asked.question.code not in player.answered
    ]


def _answer(run: "Run", player: Player, code: str) -> None:
    player.answered.append(code)
    run.says(player, code)


def answers_right(run: "Run", player: Player) -> str | None:
    asked = _open(run, player)
    if not asked:
        return None
    code = run.chance.choice(asked).question.code
    _answer(run, player, code)
    return f"answers {code}"


def answers_carelessly(run: "Run", player: Player) -> str | None:
    """In small letters, or without the letter."""
    asked = _open(run, player)
    if not asked:
        return None
    question = run.chance.choice(asked).question
    words = run.chance.choice((question.digits, question.code.lower(), question.code.replace(" ", "-")))
    player.answered.append(question.code)
    run.says(player, words)
    return f"answers {words}"


def answers_twice(run: "Run", player: Player) -> str | None:
    code = run.chance.choice(player.answered) if player.answered else None
    if code is None:
        return None
    run.says(player, code)
    return f"answers {code} again"


def answers_late(run: "Run", player: Player) -> str | None:
    now = run.clock()
    late = [a for a in run.questions_of(player) if now > a.question.until + 2 * MINUTE and a.ended != "paid"]
    if not late:
        return None
    code = run.chance.choice(late[-3:]).question.code
    run.says(player, code)
    return f"answers {code}, too late"


def answers_what_was_replaced(run: "Run", player: Player) -> str | None:
    old = [a for a in run.questions_of(player) if a.ended == "replaced"]
    if not old:
        return None
    code = run.chance.choice(old[-3:]).question.code
    run.says(player, code)
    return f"answers {code} of before the edit"


def _wrong(run: "Run", code: str) -> str:
    letter, digits = code.split()
    return f"{letter} {(int(digits) + run.chance.randrange(1, 10**6)) % 10**6:06d}"


def answers_wrong(run: "Run", player: Player) -> str | None:
    asked = _open(run, player)
    if not asked:
        return None
    words = _wrong(run, run.chance.choice(asked).question.code)
    run.says(player, words)
    return f"answers {words}, which is wrong"


def guesses(run: "Run", player: Player) -> str | None:
    """Six codes in a row, and the right one at the end."""
    asked = _open(run, player)
    if not asked:
        return None
    code = run.chance.choice(asked).question.code
    for _ in range(run.chance.choice((4, 5, 6))):
        run.says(player, _wrong(run, code))
        run.clock.advance(timedelta(seconds=2))
    _answer(run, player, code)
    return f"guesses again and again, then answers {code}"


def answers_for_another(run: "Run", player: Player) -> str | None:
    """A code somebody else was sent, from an account it was not sent to."""
    others = [a for each in run.players.values() if each is not player for a in _open(run, each)]
    if not others:
        return None
    asked = run.chance.choice(others)
    run.says(player, asked.question.code)
    return f"answers {asked.question.code}, which was asked of {run.name_of(asked.person)}"


def says_no(run: "Run", player: Player) -> str | None:
    if not _open(run, player) and not run.chance.happens(0.1):
        return None
    words = run.chance.choice(("no", "cancel", "nope"))
    run.says(player, words)
    return f"writes “{words}”"


def _refers(run: "Run", player: Player, verb: str, references: Sequence[str]) -> str | None:
    if not references:
        return None
    words = verb if run.chance.happens(0.2) else f"{verb} {run.chance.choice(references[-6:])}"
    run.says(player, words)
    return f"writes “{words}”"


def cancels(run: "Run", player: Player) -> str | None:
    held = [each.reference for each in run.model.held.values() if each.payer == player.id]
    return _refers(run, player, "cancel", held or player.references)


def declines(run: "Run", player: Player) -> str | None:
    held = [each.reference for each in run.model.held.values() if each.payee == player.id]
    return _refers(run, player, "decline", held)


def returns(run: "Run", player: Player) -> str | None:
    came = [line.reference for line in run.model.posted_lines.values() if line.payee == player.id]
    return _refers(run, player, "return", came)


def refers_to_what_is_not_theirs(run: "Run", player: Player) -> str | None:
    others = [each.reference for each in run.model.held.values() if player.id not in (each.payer, each.payee)]
    others += [line.reference for line in run.model.posted_lines.values() if line.payee != player.id]
    if not others:
        return None
    words = f"{run.chance.choice(('cancel', 'decline', 'return', 'receipt'))} {run.chance.choice(others)}"
    run.says(player, words)
    return f"writes “{words}”, which is not theirs"


def edits_an_order(run: "Run", player: Player) -> str | None:
    if not player.posts:
        return None
    words, version = _order(run, player)
    newest = run.chance.choice(player.posts[-4:])
    edited = run.world.edit(newest, f"@smoney {words}")
    version.chain, version.post = edited.first_id, edited.id
    run.model.changes(edited.first_id, run.clock())
    run.orders(version)
    player.posts.append(edited.id)
    return f"edits a tweet into “{words}”"


def edits_into_no_order(run: "Run", player: Player) -> str | None:
    if not player.posts:
        return None
    edited = run.world.edit(run.chance.choice(player.posts[-4:]), f"@smoney never mind {run.new_note()}")
    player.posts.append(edited.id)
    run.model.changes(edited.first_id, run.clock())
    return "edits a tweet into no order"


def deletes(run: "Run", player: Player) -> str | None:
    if not player.posts:
        return None
    post = player.posts.pop()
    run.world.delete(post)
    run.model.changes(run.world.posts[post].first_id, run.clock())
    return "deletes a tweet"


def enrols(run: "Run", player: Player) -> str | None:
    run.says(player, "start")
    return "writes “start”"


def leaves(run: "Run", player: Player) -> str | None:
    run.says(player, "stop")
    return "writes “stop”"


def regrets_leaving(run: "Run", player: Player) -> str | None:
    """Back within minutes, with an answer to what was asked before."""
    codes = [asked.question.code for asked in _left_behind(run, player)]
    if not codes:
        return None
    code = run.chance.choice(codes)
    run.says(player, "start")
    _answer(run, player, code)
    return f"writes “start” again, and {code} of before"


def has_left_behind(run: "Run", player: Player) -> bool:
    """Whether a question of before they left could be answered still."""
    return bool(_left_behind(run, player))


def _left_behind(run: "Run", player: Player) -> list[Asked]:
    now = run.clock()
    words = [words for _, words in run.model.people[player.id].said if words in {"start", "stop"}]
    if not words or words[-1] != "stop":
        return []
    return [a for a in run.questions_of(player) if a.ended == "cancelled" and now < a.question.until]


def leaves_in_public(run: "Run", player: Player) -> str | None:
    run.world.post(player.id, f"@smoney stop {run.new_note()}")
    run.model.says(player.id, "stop", run.clock())
    return "tweets “stop”"


def changes_handle(run: "Run", player: Player) -> str | None:
    old = run.handle(player)
    new = f"{player.name}{run.chance.randrange(10_000)}"
    run.world.rename(player.id, new)
    run.model.names(player.id, new, run.clock())
    return f"is called @{new} now, no longer @{old}"


def takes_a_handle(run: "Run", player: Player) -> str | None:
    """Somebody else takes a handle that was given up."""
    held = {run.handle(each).lower() for each in run.players.values()}
    free = sorted(set(run.model.holders) - held - {"smoney"})
    if not free:
        return None
    new = run.chance.choice(free)
    old = run.handle(player)
    run.world.rename(player.id, new)
    run.model.names(player.id, new, run.clock())
    return f"(@{old}) takes the handle @{new}, which was somebody else's"


def asks(run: "Run", player: Player) -> str | None:
    words = run.chance.choice(QUESTIONS)
    run.says(player, words)
    return f"writes “{words}”"


def talks_nonsense(run: "Run", player: Player) -> str | None:
    words = run.chance.choice(NONSENSE)
    if run.chance.happens(0.5):
        run.says(player, words)
        return f"writes “{words}”"
    run.world.post(player.id, f"@smoney {words} {run.new_note()}")
    return f"tweets “{words}”"


def orders_the_impossible(run: "Run", player: Player) -> str | None:
    """To oneself, to the bot, to nobody."""
    note = run.new_note()
    whom = run.chance.choice((run.handle(player), "smoney", "nobody_at_all"))
    run.world.post(player.id, f"@smoney send 5€ to @{whom} for {note}")
    return f"tweets an order to pay @{whom}"


def reposts(run: "Run", player: Player) -> str | None:
    orders = [post for each in run.players.values() if each is not player for post in each.posts[-1:]]
    if not orders:
        return None
    run.world.repost(player.id, run.chance.choice(orders))
    return "reposts somebody's order"


def speaks_in_a_group(run: "Run", player: Player) -> str | None:
    """A code or an order in a group conversation with the bot: it must not count."""
    group = run.world.create_group(player.id, [run.bot_id, *(p.id for p in _payees(run, player, 1))])
    asked = _open(run, player)
    words = (
        asked[0].question.code
        if asked
        else f"send 5€ to @{run.handle(_payees(run, player, 1)[0])} for {run.new_note()}"
    )
    run.world.send_to_group(player.id, group, words)
    return f"says “{words}” in a group"


def blocks_the_bot(run: "Run", player: Player) -> str | None:
    blocked = run.bot_id in run.world.person(player.id).blocked
    run.world.block(player.id, run.bot_id, blocked=not blocked)
    if not blocked:
        run.blocked_once.add(player.id)
    return "unblocks the bot" if blocked else "blocks the bot"


def orders_while_a_stranger(run: "Run", player: Player) -> str | None:
    """An order of somebody who has not enrolled, or has left; then perhaps they come."""
    if player.name in cast.MEMBERS:
        return None
    return tweets_an_order(run, player)


HABITS: dict[Habit, float] = {
    tweets_an_order: 14,
    orders_in_private: 6,
    answers_right: 26,
    answers_carelessly: 2,
    answers_twice: 2,
    answers_late: 1.5,
    answers_what_was_replaced: 2,
    answers_wrong: 3,
    guesses: 1.5,
    answers_for_another: 2,
    says_no: 2,
    cancels: 1.5,
    declines: 1.5,
    returns: 2,
    refers_to_what_is_not_theirs: 1,
    edits_an_order: 4,
    corrects_at_once: 2,
    edits_into_no_order: 1,
    deletes: 1,
    enrols: 2.2,
    leaves: 0.7,
    leaves_in_public: 0.15,
    regrets_leaving: 8,
    changes_handle: 1,
    takes_a_handle: 0.7,
    asks: 2,
    talks_nonsense: 1.5,
    orders_the_impossible: 0.7,
    reposts: 0.7,
    speaks_in_a_group: 0.5,
    blocks_the_bot: 0.4,
    orders_while_a_stranger: 2,
    deciding.freezes: 0.7,
    deciding.asks_to_thaw: 1.5,
    deciding.answers_about_the_account: 3,
    deciding.answers_wrong_about_the_account: 0.3,
    deciding.asks_to_be_erased: 1,
    deciding.asks_to_be_erased_too_early: 0.2,
    deciding.comes_back_after_an_erasure: 0.7,
    deciding.pays_all_they_have: 0.7,
    deciding.orders_a_lot: 0.8,
    deciding.mutes_or_unmutes: 0.7,
    deciding.hides_or_shows: 0.5,
    deciding.blocks_somebody: 0.6,
    deciding.unblocks: 0.6,
}
"""How often each is tried."""


def act(run: "Run") -> str | None:
    """One act of one person, in words; None if there was nothing to do."""
    habit = run.chance.choices(list(HABITS), list(HABITS.values()))[0]
    player = run.somebody(wanted=habit in _OF_WHO_WAS_ASKED, who=_WHO.get(habit))
    if player is None:
        return None
    try:
        line = habit(run, player)
    except XRefusal as refused:
        run.happened[f"X refuses a person: {refused.status}"] += 1
        return None
    if line is None:
        return None
    run.habits[habit.__name__] += 1
    return f"{player.name} {line}"


_OF_WHO_WAS_ASKED = {answers_right, answers_carelessly, answers_wrong, guesses, says_no, leaves}
_WHO: dict[Habit, Callable[["Run", Player], bool]] = {
    regrets_leaving: has_left_behind,
    deciding.asks_to_thaw: deciding.may_be_frozen,
    deciding.answers_about_the_account: deciding.was_asked_about_the_account,
    deciding.answers_wrong_about_the_account: deciding.was_asked_about_the_account,
    deciding.asks_to_be_erased: deciding.owns_nothing,
    deciding.comes_back_after_an_erasure: deciding.was_erased,
    deciding.pays_all_they_have: deciding.can_pay_all,
    deciding.orders_a_lot: deciding.could_pay_more_than_a_day_allows,
}
"""Of whom alone a habit is."""
