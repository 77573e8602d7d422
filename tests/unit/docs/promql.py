"""Reads the part of PromQL that our rules and panels are written in (prometheus.io/docs/prometheus/latest/querying, read
2026-11-27), and says which series they ask for. Whatever it does not know is refused.
"""

import re
from dataclasses import dataclass, field

AGGREGATIONS = frozenset(("sum", "min", "max", "avg", "count", "topk", "bottomk"))
FUNCTIONS = frozenset(("time", "increase", "rate", "absent"))
_OVER_TIME = frozenset(("increase", "rate"))
_OPERATORS = ("or", "and", "unless", "==", "!=", ">=", "<=", ">", "<", "+", "-", "*", "/")
_TOKEN = re.compile(
    r"\s*(?:(?P<duration>\d+[smhdw])(?!\w)|(?P<number>\d+(?:\.\d+)?)|(?P<name>[a-zA-Z_:][\w:]*)"
    r'|(?P<string>"(?:[^"\\]|\\.)*")|(?P<sign>=~|!~|==|!=|>=|<=|[-+*/<>=(){}\[\],]))'
)


class NotPromQL(ValueError):
    pass


@dataclass(frozen=True)
class Series:
    """What is asked for: a name, and which labels must be how."""

    name: str
    matchers: tuple[tuple[str, str, str], ...]


@dataclass
class Query:
    series: list[Series] = field(default_factory=list)
    groups: set[str] = field(default_factory=set)


def read(expression: str) -> Query:
    """Raises `NotPromQL`."""
    reader = _Reader(_tokens(expression))
    reader.expression()
    if reader.tokens:
        raise NotPromQL(f"{reader.tokens[0][1]!r} is one too many in {expression}")
    return reader.query


def _tokens(expression: str) -> list[tuple[str, str]]:
    found, at = [], 0
    while at < len(expression.rstrip()):
        token = _TOKEN.match(expression, at)
        if token is None:
            raise NotPromQL(f"{expression[at:]!r} cannot be read")
        kind = token.lastgroup or ""
        found.append((kind, token[kind]))
        at = token.end()
    return found


class _Reader:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.tokens = tokens
        self.query = Query()

    def expression(self) -> None:
        self.operand()
        while self.tokens and self.tokens[0][1] in _OPERATORS:
            self.tokens.pop(0)
            self.operand()

    def operand(self) -> None:
        kind, text = self._next()
        if kind == "number":
            return
        if text == "(":
            self.expression()
            self._want(")")
        elif kind == "name" and text in AGGREGATIONS:
            self._grouping()
            self._arguments()
            self._grouping()
        elif kind == "name" and text in FUNCTIONS:
            self._arguments(over_time=text in _OVER_TIME, most=0 if text == "time" else 1)
        elif kind == "name":
            self._series(text)
        else:
            raise NotPromQL(f"{text!r} is no operand")

    def _arguments(self, *, over_time: bool = False, most: int = 2) -> None:
        self._want("(")
        given = 0
        while not self._is(")"):
            self.expression()
            given += 1
            if over_time:
                self._want("[")
                if self._next()[0] != "duration":
                    raise NotPromQL("a range is a duration")
                self._want("]")
            if not self._is(")"):
                self._want(",")
        self._want(")")
        if given > most or (most and not given):
            raise NotPromQL(f"{given} arguments")

    def _grouping(self) -> None:
        if not (self._is("by") or self._is("without")):
            return
        self._next()
        self._want("(")
        while not self._is(")"):
            kind, label = self._next()
            if kind != "name":
                raise NotPromQL(f"{label!r} is no label")
            self.query.groups.add(label)
            if not self._is(")"):
                self._want(",")
        self._want(")")

    def _series(self, name: str) -> None:
        matchers = []
        if self._is("{"):
            self._next()
            while not self._is("}"):
                (_, label), (_, sign), (kind, value) = self._next(), self._next(), self._next()
                if kind != "string" or sign not in {"=", "!=", "=~", "!~"}:
                    raise NotPromQL(f"{label}{sign}{value} is no matcher")
                matchers.append((label, sign, value[1:-1]))
                if not self._is("}"):
                    self._want(",")
            self._want("}")
        self.query.series.append(Series(name, tuple(matchers)))

    def _is(self, text: str) -> bool:
        return bool(self.tokens) and self.tokens[0][1] == text

    def _next(self) -> tuple[str, str]:
        if not self.tokens:
            raise NotPromQL("it ends too soon")
        return self.tokens.pop(0)

    def _want(self, text: str) -> None:
        if self._next()[1] != text:
            raise NotPromQL(f"no {text!r} where one is needed")
