"""What goes wrong, one fault at a time: at X, at the disk, with the program and its workers, and with time."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.sandbox.faults import FaultKind
from bot.sandbox.limits import Operation
from tests.simulation.database import BROKEN, BUSY, COMMIT_FAILS, COMMIT_UNHEARD, FULL, LOCKED, DiskTrouble

if TYPE_CHECKING:
    from tests.simulation.run import Run

Trouble = Callable[["Run"], str]
SENDS = (Operation.SEND_MESSAGE, Operation.SEND_MESSAGE, Operation.SEND_MESSAGE, Operation.CREATE_POST)
READS = (
    Operation.MENTIONS,
    Operation.MESSAGES,
    Operation.MESSAGES_WITH,
    Operation.OWN_POSTS,
    Operation.USERS,
)
WHERE_IT_MATTERS = (
    "INSERT INTO ledger_transfer", "SAVEPOINT journal", "INSERT INTO authorisations", "UPDATE intents", "UPDATE outbox",
    "INSERT INTO outbox", "INSERT INTO inbox", "UPDATE cursors", "UPDATE challenges", "RELEASE", "COMMIT",
)  # fmt: skip
STATUSES = (400, 401, 402, 403, 429)


def a_send_goes_wrong(run: "Run") -> str:
    kind = run.chance.choice(
        (FaultKind.LOSE, FaultKind.LOSE, FaultKind.CUT, FaultKind.FAIL, FaultKind.NONSENSE, FaultKind.DELAY)
    )
    operation = run.chance.choice(SENDS)
    run.plan_fault(kind, operation, times=run.chance.choice((1, 1, 2)))
    return f"X: {kind.value} at the next {operation.value}"


def a_read_goes_wrong(run: "Run") -> str:
    kind = run.chance.choice(
        (FaultKind.CUT, FaultKind.FAIL, FaultKind.NONSENSE, FaultKind.DELAY, FaultKind.LOSE)
    )
    operation = run.chance.choice(READS)
    run.plan_fault(kind, operation, times=run.chance.choice((1, 1, 3)))
    return f"X: {kind.value} at the next {operation.value}"


def x_refuses(run: "Run") -> str:
    """By status. A send that is refused for good is not said, so only what means "later" is answered to sends."""
    status = run.chance.choice(STATUSES)
    operation = run.chance.choice(READS if status in (400, 403) else (*READS, *SENDS))
    run.plan_fault(FaultKind.REFUSE, operation, status=status, detail="no")
    return f"X: {status} at the next {operation.value}"


def x_is_away(run: "Run") -> str:
    run.plan_fault(run.chance.choice((FaultKind.CUT, FaultKind.FAIL)), None, times=run.chance.choice((5, 15)))
    return "X is away for some calls"


def the_disk_fails(run: "Run") -> str:
    kind = run.chance.choice((BUSY, LOCKED, FULL, BROKEN, BROKEN, COMMIT_FAILS, COMMIT_UNHEARD))
    at, left = _somewhere(run)
    run.disk.planned = DiskTrouble(kind, left, rolls_back=run.chance.happens(0.5), at=at)
    return f"the disk: {kind} {f'at {at}' if at else ''} ({left})"


def _somewhere(run: "Run") -> tuple[str, int]:
    """At one of the statements that matter, or at any."""
    if run.chance.happens(0.5):
        return run.chance.choice(WHERE_IT_MATTERS), 1
    return "", run.chance.randrange(1, 50)


def the_program_dies_at_a_statement(run: "Run") -> str:
    run.disk.crash_at, run.disk.crash_in = _somewhere(run)
    return f"the program will die at a statement {run.disk.crash_at} ({run.disk.crash_in})"


def the_program_dies_at_a_call(run: "Run") -> str:
    run.seams.crash_in = run.chance.randrange(1, 6)
    return f"the program will die at a call of X ({run.seams.crash_in})"


def a_worker_dies(run: "Run") -> str:
    run.seams.worker_dies_in = run.chance.randrange(1, 6)
    return "a worker will die at a call of X"


def is_restarted(run: "Run") -> str:
    run.happened["restart"] += 1
    run.restart()
    return "the program is restarted"


def is_away(run: "Run") -> str:
    """The program is down while time goes by, and people go on."""
    minutes = run.chance.choice((3, 12, 30, 70, 200))
    run.happened["the program is down for a while"] += 1
    run.stop(for_steps=run.chance.randrange(3, 25))
    run.clock.advance(timedelta(minutes=minutes))
    if minutes >= 60:
        run.model.all_uncertain()
    return f"the program is down; {minutes} minutes go by"


def a_quiet_night(run: "Run") -> str:
    hours = run.chance.choice((2, 8, 25))
    run.happened["a quiet night"] += 1
    run.listens_through(timedelta(hours=hours))
    return f"{hours} hours go by, and the bot listens"


def minutes_go_by(run: "Run") -> str:
    minutes = run.chance.choice((2, 4, 5, 6, 9))
    run.happened["minutes go by"] += 1
    run.clock.advance(timedelta(minutes=minutes))
    return f"{minutes} minutes go by"


def x_shows_things_late(run: "Run") -> str:
    seconds = run.chance.choice((0, 1, 4))
    run.happened["X shows things late"] += 1
    run.world.ground.lag = timedelta(seconds=seconds)
    return f"X shows what was written after {seconds} s"


def is_suspended(run: "Run") -> str:
    run.happened["the bot is suspended by X"] += 1
    run.world.suspend(run.bot_id)
    return "X suspends the bot"


def credits_run_out(run: "Run") -> str:
    run.happened["credits run out"] += 1
    run.world.credit_thousandths = run.world.meter.thousandths + run.chance.choice((0, 50, 200))
    return "X's credits run out soon"


TROUBLES: dict[Trouble, float] = {
    a_send_goes_wrong: 14,
    a_read_goes_wrong: 6,
    x_refuses: 4,
    x_is_away: 2,
    the_disk_fails: 10,
    the_program_dies_at_a_statement: 5,
    the_program_dies_at_a_call: 5,
    a_worker_dies: 2,
    is_restarted: 1,
    is_away: 1,
    a_quiet_night: 0.5,
    minutes_go_by: 6,
    x_shows_things_late: 1,
    is_suspended: 0.5,
    credits_run_out: 0.5,
}


def strike(run: "Run") -> str:
    trouble = run.chance.choices(list(TROUBLES), list(TROUBLES.values()))[0]
    run.troubles[trouble.__name__] += 1
    return trouble(run)
