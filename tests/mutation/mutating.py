"""Small faults put into the ledger, one at a time, to see whether its tests notice.

A mutant is one place of one file changed: a comparison turned, a sum made a difference, a condition taken out, a refusal
not raised, a number one more, a rule of the database dropped. It has a name that does not depend on line numbers, so
that a mutant once looked at stays known while the code around it moves.
"""

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LEDGER = Path(__file__).parents[2] / "ledger"
NOT_MUTATED = {
    "__init__.py",
    "errors.py",
    "tables.py",
}  # words and the mirror of the SQL, held by a test of its own

_COMPARED: dict[type[ast.cmpop], str] = {
    ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.Eq: "!=", ast.NotEq: "==", ast.Is: "is not",
    ast.IsNot: "is", ast.In: "not in", ast.NotIn: "in",
}  # fmt: skip
_CALCULATED: dict[type[ast.operator], str] = {
    ast.Add: "-", ast.Sub: "+", ast.Mult: "//", ast.FloorDiv: "*", ast.Mod: "//",
}  # fmt: skip
_SIGN = re.compile(r"is\s+not|not\s+in|[<>=!]=|[<>]|\bis\b|\bin\b")


@dataclass(frozen=True)
class Mutant:
    """`path` is relative to the ledger; `[start, end)` of its text becomes `new`."""

    name: str
    path: str
    start: int
    end: int
    new: str

    def applied_to(self, text: str) -> str:
        return text[: self.start] + self.new + text[self.end :]


Place = tuple[str, int, int, str]
"""Where it stands (a function, a trigger), start, end, what it becomes."""
Span = Callable[[ast.AST], tuple[int, int]]


def mutants(folder: Path = LEDGER) -> list[Mutant]:
    """Every mutant there is, in the order of files and places."""
    found: list[Mutant] = []
    for path in sorted(folder.glob("*.py")):
        if path.name not in NOT_MUTATED:
            found += _named(path.name, path.read_text(encoding="utf-8"), _of_python)
    for path in sorted(folder.glob("migrations/versions/*_sqlite.sql")):
        found += _named(str(path.relative_to(folder)), path.read_text(encoding="utf-8"), _of_sql)
    return found


def _named(path: str, text: str, find: Callable[[str], Iterator[Place]]) -> Iterator[Mutant]:
    seen: Counter[str] = Counter()
    for where, start, end, new in find(text):
        line = text[text.rfind("\n", 0, start) + 1 : text.find("\n", end)].strip()
        old = " ".join(f"[{text[start:end]}] in {line}".split())
        name = f"{path}:{where}: {old[:120]} -> {' '.join(new.split())[:80]}"
        seen[name] += 1
        yield Mutant(f"{name} #{seen[name]}" if seen[name] > 1 else name, path, start, end, new)


# Python


def _of_python(text: str) -> Iterator[Place]:
    tree = ast.parse(text)
    starts = [0]
    for line in text.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    raw = text.encode()

    def offset(line: int, column: int) -> int:
        return len(raw[: starts[line - 1] + column].decode())

    def span(node: Any) -> tuple[int, int]:
        return offset(node.lineno, node.col_offset), offset(node.end_lineno, node.end_col_offset)

    for where, node in _within(tree, ""):
        for start, end, new in _of_node(node, text, span):
            yield where, start, end, new


def _within(node: ast.AST, where: str) -> Iterator[tuple[str, ast.AST]]:
    """Every node that is run, with the function or class it stands in; no annotation, no docstring, no message."""
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list", "type_params", "bases", "keywords"} and not (
            name == "keywords" and isinstance(node, ast.Call)
        ):
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or _is_text(child) or _is_strict(child):
                continue
            inside = where
            if isinstance(child, ast.FunctionDef | ast.ClassDef):
                inside = f"{where}.{child.name}" if where else child.name
            yield inside, child
            if not isinstance(child, ast.Raise):  # what is raised is words; that it is raised is mutated
                yield from _within(child, inside)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_strict(node: ast.AST) -> bool:
    """`strict=True` of `zip`: it changes nothing, and states that both are equally long."""
    return isinstance(node, ast.keyword) and node.arg == "strict"


def _of_node(node: ast.AST, text: str, of: Span) -> Iterator[tuple[int, int, str]]:
    if isinstance(node, ast.Compare):
        left = of(node.left)[1]
        for operator, right in zip(node.ops, node.comparators, strict=True):
            sign = _SIGN.search(text, left, of(right)[0])
            if sign is not None:
                yield sign.start(), sign.end(), _COMPARED[type(operator)]
            left = of(right)[1]
    elif isinstance(node, ast.BoolOp):
        word = " or " if isinstance(node.op, ast.And) else " and "
        for one, other in zip(node.values, node.values[1:], strict=False):
            between = text[of(one)[1] : of(other)[0]]
            if "(" not in between and ")" not in between:
                yield of(one)[1], of(other)[0], word
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        start = of(node)[0]
        yield start, start + len("not "), ""
    elif isinstance(node, ast.BinOp) and type(node.op) in _CALCULATED:
        between = text[of(node.left)[1] : of(node.right)[0]]
        if "(" not in between and ")" not in between:
            yield of(node.left)[1], of(node.right)[0], f" {_CALCULATED[type(node.op)]} "
    elif isinstance(node, ast.Constant) and type(node.value) in {int, bool}:
        value: Any = node.value
        yield *of(node), str(not value if type(value) is bool else value + 1)
    elif isinstance(node, ast.Raise):
        yield *of(node), "pass"
    elif isinstance(node, ast.If | ast.IfExp):
        yield *of(node.test), "False"


# The rules in the database

_RULE = re.compile(
    r"WHEN (?P<condition>(?:(?!\bWHEN\b|\bTHEN\b).)*?)\s+THEN RAISE\(ABORT, '(?P<reason>[^']*)'\)", re.DOTALL
)
_WHOLE = re.compile(r"SELECT RAISE\(ABORT, '(?P<reason>[^']*)'\);")
_UNIQUE = re.compile(r"CREATE UNIQUE INDEX (?P<reason>\w+)")


def _of_sql(text: str) -> Iterator[Place]:
    """Each rule taken out: a condition that is never true, a trigger that refuses nothing, an index that is not unique."""
    for found in _RULE.finditer(text):
        yield found["reason"], found.start("condition"), found.end("condition"), "0"
        for comparison in re.finditer(r"(?<=\s)(<|>)(?=\s)", found["condition"]):
            at = found.start("condition") + comparison.start()
            yield found["reason"], at, at + 1, f"{comparison[0]}="
    for found in _WHOLE.finditer(text):
        yield found["reason"], found.start(), found.end(), "SELECT 1;"
    for found in _UNIQUE.finditer(text):
        yield found["reason"], found.start(), found.end(), f"CREATE INDEX {found['reason']}"
