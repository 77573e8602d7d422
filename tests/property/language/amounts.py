"""A second reading of amounts, slower and written another way: character by character, and no regular expression.

It knows nothing of the reader's numerals or words. It takes a text known to be an order, and gives every amount in
cents the text could hold outside handles and addresses; the reader's amount must be the only one, or among several
where numbers stand in the note.
"""

SEPARATORS = ".,'’ \u00a0\u202f\u2009"
CENTS = ("eurocent", "euro cent", "cent", "cént", "cènt", "cênt", "c ", "ct")
THOUSANDS = ("k", "mil", "tausend", "thousand", "duizend")


def amounts_in(text: str) -> set[int]:
    found: set[int] = set()
    place = 0
    bare = _without_handles(text)
    while place < len(bare):
        if bare[place] in "0123456789" or (bare[place] in ".," and bare[place + 1 : place + 2].isdigit()):
            place = _take(bare, place, found)
        else:
            place += 1
    return found


def _without_handles(text: str) -> str:
    kept, skipping = [], False
    for mark in " ".join(
        word
        for word in text.split(" ")
        if "://" not in word.lower() and word.lower().lstrip("&l") not in ("<3", "t;3")
    ):
        skipping = mark in "@#" or (skipping and (mark.isalnum() or mark == "_"))
        kept.append("\n" if skipping else mark)
    return "".join(kept)


def _take(text: str, start: int, found: set[int]) -> int:
    end = start
    while end < len(text) and (
        text[end].isdigit() or (text[end] in SEPARATORS and text[end + 1 : end + 2].isdigit())
    ):
        end += 1
    cents = _cents(text[start:end])
    tail = text[end : end + 12].lower().lstrip("., -").replace("€", " € ") + " "
    if tail.strip().startswith(CENTS):
        cents //= 100
    elif tail.strip().startswith(THOUSANDS):
        cents *= 1000
    place, behind = _behind_unit(text, end)
    if behind is not None:
        found.add(cents + behind)
        return place
    found.add(cents)
    return end


def _cents(written: str) -> int:
    last = max((place for place, mark in enumerate(written) if mark in ".,"), default=-1)
    digits = "".join(mark for mark in written if mark.isdigit())
    decimals = len(written) - last - 1 if last >= 0 else 0
    if last >= 0 and decimals in (1, 2):
        return int(digits or "0") * (10 if decimals == 1 else 1)
    return int(digits or "0") * 100


def _behind_unit(text: str, end: int) -> tuple[int, int | None]:
    """Two figures behind the unit, with or without "and": cents."""
    words = _words_of(text[end : end + 40].replace("€", " € "))
    if not words or words[0].lower() not in ("€", "euro", "euros", "eur"):
        return end, None
    rest = words[1:]
    joined = bool(rest) and rest[0].lower() in ("and", "et", "und", "y", "e", "en", "i", "con", "amb")
    rest = rest[1:] if joined else rest
    if not rest or not rest[0].isdigit() or len(rest[0]) != 2:
        return end, None
    if joined and not (len(rest) > 1 and rest[1].lower().startswith(CENTS)):
        return end, None
    return text.index(rest[0], end) + 2, int(rest[0])


def _words_of(text: str) -> list[str]:
    """Split at spaces, and where figures end."""
    apart = []
    for place, mark in enumerate(text):
        if place and text[place - 1].isdigit() and not mark.isdigit() and mark != "€":
            apart.append(" ")
        apart.append(mark)
    return [word for word in "".join(apart).split() if word.strip(",.;:!…")]
