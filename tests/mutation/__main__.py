"""`python -m tests.mutation [--sample N] [--only PART] [--out FILE]`: a JSON line for each mutant.

Without a sample it goes through all of them and can be stopped and started again: what stands in the file is not run
twice. Exit code 1 where one survived that `known.toml` does not list.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from tests.mutation.known import unexplained
from tests.mutation.mutating import mutants
from tests.mutation.running import outcomes, sample


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--sample", type=int, default=0, help="so many, always the same; 0 is all")
    parser.add_argument("--only", default="", help="only those whose name has this in it")
    parser.add_argument("--out", type=Path, default=Path("build/mutants.jsonl"))
    given = parser.parse_args()
    found = [mutant for mutant in mutants() if given.only in mutant.name]
    chosen = sample(found, given.sample) if given.sample else found
    given.out.parent.mkdir(exist_ok=True)
    lines = given.out.read_text(encoding="utf-8").splitlines() if given.out.exists() else []
    done = {row["mutant"]: row for row in map(json.loads, lines)}
    with given.out.open("a", encoding="utf-8") as out:
        for outcome in outcomes(mutant for mutant in chosen if mutant.name not in done):
            done[outcome.mutant] = asdict(outcome)
            line = json.dumps(done[outcome.mutant], ensure_ascii=False)
            print(line, file=out, flush=True)
            print(line, flush=True)  # noqa: T201
    told = [done[mutant.name] for mutant in chosen]
    survivors = [row["mutant"] for row in told if not row["killed"]]
    print(f"{len(told)} mutants, {len(told) - len(survivors)} killed", file=sys.stderr)  # noqa: T201
    strange = unexplained(survivors)
    for name in strange:
        print(f"survived, and nothing says why: {name}", file=sys.stderr)  # noqa: T201
    return 1 if strange else 0


if __name__ == "__main__":
    sys.exit(main())
