"""How many messages the reader reads in a second on one thread: `python -m tests.benchmarks.bench_reader`.

Time of the processor, not of the clock: other programs on the machine do not count.
"""

import sys
import time

from bot.language.reader import read
from tests.unit.language.cases import cases

ROUNDS = 20


def measured() -> list[float]:
    """Seconds of each reading, every case several times, the first round left out (words are learnt in it)."""
    utterances = [case.utterance for case in cases()]
    for utterance in utterances:
        read(utterance)
    return sorted(_seconds(utterance) for _ in range(ROUNDS) for utterance in utterances)


def _seconds(utterance) -> float:
    started = time.thread_time_ns()
    read(utterance)
    return (time.thread_time_ns() - started) / 1e9


def main() -> None:
    times = measured()
    middle, slow = times[len(times) // 2], times[len(times) * 99 // 100]
    sys.stdout.write(
        f"{len(times) / sum(times):,.0f} readings a second; half within {middle * 1e6:.0f} µs, "
        f"99 of 100 within {slow * 1e6:.0f} µs, the slowest {times[-1] * 1e6:.0f} µs\n"
    )


if __name__ == "__main__":
    main()
