"""Words as they are compared: small letters without accents.

Accents and capitals fold for words only, never for amounts or handles.
"""

import unicodedata

_LIGATURES = str.maketrans({"ß": "ss", "œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "ı": "i", "’": "'", "ʼ": "'", "‘": "'", "‐": "-", "‑": "-"})  # fmt: skip
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})


def lowered(word: str) -> str:
    """Composed and in small letters, accents kept."""
    if word.isascii():
        return word.lower()
    return unicodedata.normalize("NFC", word).lower().translate(_LIGATURES)


def folded(word: str) -> str:
    """Composed, in small letters, without accents. A combining mark that is no accent of a letter is kept."""
    if word.isascii():
        return word.lower()
    decomposed = unicodedata.normalize("NFD", lowered(word))
    return "".join(mark for mark in decomposed if not "\u0300" <= mark <= "\u0333")


def spellings(word: str) -> set[str]:
    """The folded forms a listed word may be typed in: "überweise" is also "uberweise" and "ueberweise"."""
    return {folded(word), folded(lowered(word).translate(_UMLAUTS))}
