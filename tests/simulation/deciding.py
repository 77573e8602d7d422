"""What people decide about their own accounts: they freeze and thaw, block, hide, mute, empty their wallet, are erased and
come back. Each habit is told as in `habits`.
"""

from typing import TYPE_CHECKING

from tests.simulation.cast import Player
from tests.simulation.model import Version
from tests.simulation.wishes import Sure, Wishes

if TYPE_CHECKING:
    from tests.simulation.run import Run

MOST_AT_ONCE = {True: 250_00, False: 50_00}
A_LOT = 230_00


def _wishes(run: "Run", player: Player) -> Wishes:
    return run.model.people[player.id].wishes


def freezes(run: "Run", player: Player) -> str | None:
    words = run.chance.choice(("freeze", "pause", "freeze my account"))
    if run.chance.happens(0.2):
        run.world.post(player.id, f"@smoney {words}")
        run.model.says(player.id, words, run.clock())
        return f"tweets “{words}”"
    run.says(player, words)
    return f"writes “{words}”"


def may_be_frozen(run: "Run", player: Player) -> bool:
    wishes = _wishes(run, player)
    return wishes.frozen_by_operator or wishes.frozen.sure is not Sure.NO


def asks_to_thaw(run: "Run", player: Player) -> str | None:
    words = run.chance.choice(("thaw", "unfreeze"))
    run.says(player, words)
    return f"writes “{words}”"


def was_asked_about_the_account(run: "Run", player: Player) -> bool:
    return any(asked.code not in player.answered for asked in _wishes(run, player).questions[-2:])


def answers_about_the_account(run: "Run", player: Player) -> str | None:
    asked = next(
        each for each in reversed(_wishes(run, player).questions[-2:]) if each.code not in player.answered
    )
    player.answered.append(asked.code)
    run.says(player, asked.code)
    return f"answers {asked.code}, to {asked.what}"


def answers_wrong_about_the_account(run: "Run", player: Player) -> str | None:
    letter, digits = _wishes(run, player).questions[-1].code.split()
    words = f"{letter} {(int(digits) + run.chance.randrange(1, 10**6)) % 10**6:06d}"
    run.says(player, words)
    return f"answers {words}, which is wrong"


def owns_nothing(run: "Run", player: Player) -> bool:
    model = run.model
    return (
        not model.posted[player.id]
        and not model.set_aside[player.id]
        and not any(held.payee == player.id for held in model.held.values())
    )


def asks_to_be_erased(run: "Run", player: Player) -> str | None:
    words = run.chance.choice(("erase me", "forget me"))
    run.says(player, words)
    return f"writes “{words}”"


def asks_to_be_erased_too_early(run: "Run", player: Player) -> str | None:
    """With money in their wallet, which is refused."""
    if owns_nothing(run, player):
        return None
    return asks_to_be_erased(run, player)


def was_erased(run: "Run", player: Player) -> bool:
    return _wishes(run, player).erased_at is not None


def comes_back_after_an_erasure(run: "Run", player: Player) -> str | None:
    run.says(player, "start")
    return "writes “start”, and was erased before"


def can_pay_all(run: "Run", player: Player) -> bool:
    own = run.model.posted[player.id] - run.model.set_aside[player.id]
    return 0 < own <= MOST_AT_ONCE[player.id in run.model.identified]


def pays_all_they_have(run: "Run", player: Player) -> str | None:
    others = [each for each in run.players.values() if each is not player]
    payee, own = run.chance.choice(others), run.model.posted[player.id] - run.model.set_aside[player.id]
    handle, note = run.handle(payee), run.new_note()
    words = f"send {own // 100}.{own % 100:02d}€ to @{handle} for {note}"
    post = run.world.post(player.id, f"@smoney {words}")
    run.orders(Version(note, player.id, post.id, (handle,), (payee.id,), (own,), run.clock(), post=post.id))
    player.posts.append(post.id)
    return f"tweets “{words}”, which is all they have"


def could_pay_more_than_a_day_allows(run: "Run", player: Player) -> bool:
    own = run.model.posted[player.id] - run.model.set_aside[player.id]
    return player.id in run.model.identified and own >= 2 * A_LOT


def orders_a_lot(run: "Run", player: Player) -> str | None:
    """Three at once, each allowed by itself."""
    members = [
        each for each in run.players.values() if each is not player and each.id in run.model.identified
    ]
    lines = []
    for payee in run.chance.sample(members, min(3, len(members))):
        handle, note = run.handle(payee), run.new_note()
        words = f"send {A_LOT // 100}€ to @{handle} for {note}"
        post = run.world.post(player.id, f"@smoney {words}")
        version = Version(
            note, player.id, post.id, (handle,), (payee.id,), (A_LOT,), run.clock(), post=post.id
        )
        run.orders(version)
        player.posts.append(post.id)
        lines.append(words)
    return f"tweets “{'”, “'.join(lines)}”"


def mutes_or_unmutes(run: "Run", player: Player) -> str | None:
    words = "unmute" if _wishes(run, player).muted.wanted is Sure.YES else "mute"
    run.says(player, words)
    return f"writes “{words}”"


def hides_or_shows(run: "Run", player: Player) -> str | None:
    words = "public" if _wishes(run, player).private.wanted is Sure.YES else "private"
    run.says(player, words)
    return f"writes “{words}”"


def blocks_somebody(run: "Run", player: Player) -> str | None:
    """Whom they may pay soon, so that it matters."""
    asked = [each for each in run.questions_of(player) if each.ended is None]
    others = [each for each in run.players.values() if each is not player]
    other = run.player_of(asked[-1].version.payees[0]) if asked else run.chance.choice(others)
    return _about(run, player, other, Sure.YES)


def unblocks(run: "Run", player: Player) -> str | None:
    blocked = [each for each, choice in _wishes(run, player).blocks.items() if choice.wanted is Sure.YES]
    if not blocked:
        return None
    return _about(run, player, run.player_of(run.chance.choice(blocked)), Sure.NO)


def _about(run: "Run", player: Player, other: Player, wanted: Sure) -> str:
    words = f"{'block' if wanted is Sure.YES else 'unblock'} @{run.handle(other)}"
    run.says(player, words)
    _wishes(run, player).blocks_or_not(other.id, wanted)
    return f"writes “{words}”"
