"""`make simulate`, `make simulate-long` and `make simulate-mutants`.

Nothing of the program is imported before a mutant was put in.
"""

import argparse
import os
import sys
from pathlib import Path

STATE = Path("build/simulation.json")


def main() -> int:
    arguments = _arguments()
    if arguments.mutant:
        from tests.simulation.mutants import put_in  # noqa: PLC0415 (before all else)

        put_in(arguments.mutant)
    from tests.simulation import playing  # noqa: PLC0415

    match arguments.what:
        case "play":
            return playing.play_and_tell(arguments.seed, arguments.steps, mutant=arguments.mutant)
        case "find":
            return playing.find(arguments.seed, arguments.steps, mutant=arguments.mutant)
        case "long":
            return playing.play_long(arguments.steps, arguments.state, jobs=arguments.jobs)
        case _:
            from tests.simulation.mutants import catch_all  # noqa: PLC0415

            return catch_all(arguments.only, seed=arguments.seed, steps=arguments.steps)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("what", choices=("play", "find", "long", "mutants"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=2_000)
    parser.add_argument("--mutant", default="")
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--state", type=Path, default=STATE)
    return parser.parse_args()


if __name__ == "__main__":  # not in the processes of a long run
    sys.exit(main())
