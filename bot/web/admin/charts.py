"""Small charts, drawn here as SVG that stands in the page: no script, no style of its own, colours from the sheet.

Each says in words what it shows, for who does not see it. Only numbers and words of the program go in; they are escaped
all the same.
"""

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup, escape

WIDTH: Final = 340
COLUMNS_HEIGHT: Final = 100
FOOT: Final = 18
BAR: Final = 26


def columns(values: "Sequence[tuple[str, int]]", *, title: str) -> Markup:
    """A column for each value; the first and last labels and the highest number are written."""
    most = max((count for _, count in values), default=0) or 1
    step = WIDTH / max(1, len(values))
    drawn = []
    for place, (label, count) in enumerate(values):
        height = max(1.5 if count else 0.75, (COLUMNS_HEIGHT - 14) * count / most)
        drawn.append(
            _rect(
                "column" if count else "column none",
                place * step + step * 0.14,
                COLUMNS_HEIGHT - height,
                step * 0.72,
                height,
                f"{label}: {count}",
            )
        )
    ends = [
        _text(0, COLUMNS_HEIGHT + FOOT - 4, values[0][0], "start"),
        _text(WIDTH, COLUMNS_HEIGHT + FOOT - 4, values[-1][0], "end"),
        _text(WIDTH, 9, f"most: {most if any(count for _, count in values) else 0}", "end"),
    ]
    return _svg(COLUMNS_HEIGHT + FOOT, title, [*drawn, *ends])


def bars(values: "Sequence[tuple[str, int, str]]", *, title: str, most: int | None = None) -> Markup:
    """A bar for each: its label, its number, and the number in words. `most` is the whole width."""
    highest = most or max((count for _, count, _ in values), default=0) or 1
    drawn = []
    for place, (label, count, words) in enumerate(values):
        top = place * (BAR + 14)
        drawn += [
            _text(0, top + 11, label, "start"),
            _text(WIDTH, top + 11, words, "end", "figure"),
            _rect("track", 0, top + 17, WIDTH, 8, ""),
            _rect("bar", 0, top + 17, WIDTH * min(1.0, max(0, count) / highest), 8, f"{label}: {words}"),
        ]
    return _svg(len(values) * (BAR + 14), title, drawn)


def _svg(height: int, title: str, parts: "Sequence[Markup]") -> Markup:
    head = Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(
        WIDTH, height, title
    )
    return head + Markup("").join(parts) + Markup("</svg>")


def _rect(kind: str, x: float, y: float, width: float, height: float, words: str) -> Markup:
    return Markup(
        '<rect class="{}" x="{}" y="{}" width="{}" height="{}" rx="2"><title>{}</title></rect>'
    ).format(kind, *(f"{number:.2f}" for number in (x, y, width, height)), words)


def _text(x: float, y: float, words: str, anchor: str, kind: str = "label") -> Markup:
    return Markup('<text class="{}" x="{}" y="{}" text-anchor="{}">{}</text>').format(
        kind, x, y, anchor, escape(words)
    )
