"""How X counts and reads a text: weighted length, mentions, hashtags and what it takes for an address.

Both sides need the same answer. The bot must know before it sends whether X will take a text and what it will
cost (a post with an address in it costs thirteen times as much); the sandbox must refuse what X refuses. The rules are
those of X's open "twitter-text", configuration version 3. Everything here is pure and takes linear time on any input,
hostile ones included. It never decides what a text means.

`top_level_domains.txt` lists the names of the internet's root zone (as of 2023); X takes nothing else for the end of
an address that has no `https://` before it.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from html import unescape
from importlib.resources import files

POST_LIMIT = 280
URL_WEIGHT = 23
WIDE_WEIGHT = 2
USERNAME_LIMIT = 15
_NARROW_RANGES = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
_INVALID_CHARACTERS = re.compile("[\ufffe\ufeff\uffff]")


@dataclass(frozen=True, slots=True)
class Found:
    """Something recognised in a text: `[start, end)` in code points; `text` is the slice without @ or #."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Entities:
    mentions: tuple[Found, ...] = ()
    hashtags: tuple[Found, ...] = ()
    urls: tuple[Found, ...] = ()


def normalise(text: str) -> str:
    """As X stores it: composed (NFC), without blanks around."""
    return unicodedata.normalize("NFC", text).strip()


def fits(text: str) -> bool:
    """True if X would take this as a post: not empty, no forbidden character, 280 weighted characters at most."""
    return bool(text.strip()) and not _INVALID_CHARACTERS.search(text) and weighted_length(text) <= POST_LIMIT


def contains_url(text: str) -> bool:
    """True if X would take any part of the text for an address, which makes a post dear."""
    return bool(find_urls(unicodedata.normalize("NFC", text)))


def weighted_length(text: str) -> int:
    """X's count: an address is 23, an emoji 2 however it is composed, most scripts 1 and the others 2 a character."""
    text = unicodedata.normalize("NFC", text)
    weight = position = 0
    for url in find_urls(text):
        weight += _weight_without_urls(text[position : url.start]) + URL_WEIGHT
        position = url.end
    return weight + _weight_without_urls(text[position:])


def escape(text: str) -> str:
    """The three characters X escapes in every text it gives out."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def escaped_offset(text: str, offset: int) -> int:
    """Where a place in a text as typed lies in the text as X gives it, which is longer by what is escaped."""
    return (
        offset
        + 4 * text.count("&", 0, offset)
        + 3 * (text.count("<", 0, offset) + text.count(">", 0, offset))
    )


def unescaped(text: str) -> str:
    """What the person typed: `escape` undone."""
    return unescape(text) if "&" in text else text


def extract_entities(text: str) -> Entities:
    """Mentions, hashtags and addresses; where two overlap, the one that begins first stands, as X has it."""
    kinds = {"url": find_urls(text), "mention": find_mentions(text), "hashtag": find_hashtags(text)}
    kept: dict[str, list[Found]] = {kind: [] for kind in kinds}
    position = 0
    for kind, found in sorted(
        ((kind, found) for kind, all_found in kinds.items() for found in all_found),
        key=lambda pair: pair[1].start,
    ):
        if found.start >= position:
            kept[kind].append(found)
            position = found.end
    return Entities(tuple(kept["mention"]), tuple(kept["hashtag"]), tuple(kept["url"]))


# --- characters -------------------------------------------------------------------------------------------------

_EMOJI_BASE = (
    "\xa9\xae\u203c\u2049\u2122\u2139\u2194-\u2199\u21a9-\u21aa\u231a-\u231b\u2328\u23cf\u23e9-\u23f3\u23f8-\u23fa"
    "\u24c2\u25aa-\u25ab\u25b6\u25c0\u25fb-\u25fe\u2600-\u2604\u260e\u2611\u2614-\u2615\u2618\u261d\u2620"
    "\u2622-\u2623\u2626\u262a\u262e-\u262f\u2638-\u263a\u2640\u2642\u2648-\u2653\u265f-\u2660\u2663\u2665-\u2666"
    "\u2668\u267b\u267e-\u267f\u2692-\u2697\u2699\u269b-\u269c\u26a0-\u26a1\u26a7\u26aa-\u26ab\u26b0-\u26b1"
    "\u26bd-\u26be\u26c4-\u26c5\u26c8\u26ce-\u26cf\u26d1\u26d3-\u26d4\u26e9-\u26ea\u26f0-\u26f5\u26f7-\u26fa\u26fd"
    "\u2702\u2705\u2708-\u270d\u270f\u2712\u2714\u2716\u271d\u2721\u2728\u2733-\u2734\u2744\u2747\u274c\u274e"
    "\u2753-\u2755\u2757\u2763-\u2764\u2795-\u2797\u27a1\u27b0\u27bf\u2934-\u2935\u2b05-\u2b07\u2b1b-\u2b1c\u2b50"
    "\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001f1e5\U0001f200-\U0001f3fa\U0001f400-\U0001faff"
)
_EMOJI_PART = (
    f"[{_EMOJI_BASE}](?:\ufe0f|[\U0001f3fb-\U0001f3ff])?(?:[\U000e0020-\U000e007e]{{1,10}}\U000e007f)?"
)
_EMOJI_SEQUENCE = re.compile(
    f"[\U0001f1e6-\U0001f1ff]{{2}}|[0-9#*]\ufe0f?\u20e3|{_EMOJI_PART}(?:\u200d{_EMOJI_PART}){{0,9}}"
)


def _weight_without_urls(text: str) -> int:
    weight = position = 0
    for emoji in _EMOJI_SEQUENCE.finditer(text):
        if len(emoji[0]) == 1:  # a single character has its own weight
            continue
        weight += sum(map(_weight_of, text[position : emoji.start()])) + WIDE_WEIGHT
        position = emoji.end()
    return weight + sum(map(_weight_of, text[position:]))


def _weight_of(character: str) -> int:
    code = ord(character)
    return 1 if any(first <= code <= last for first, last in _NARROW_RANGES) else WIDE_WEIGHT


# --- mentions and hashtags --------------------------------------------------------------------------------------

_MENTION = re.compile(
    rf"(?:(?<![A-Za-z0-9_!#$%&*@＠])|(?<=\brt)|(?<=\brt:))[@＠]([A-Za-z0-9_]{{1,{USERNAME_LIMIT}}})"
    r"(?![A-Za-z0-9_@＠\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f]|://)",
    re.IGNORECASE,
)
_HASHTAG = re.compile(r"(?<![\w&])[#＃](?![\ufe0f\u20e3])(\w+)(?![#＃]|://)")


def find_mentions(text: str) -> list[Found]:
    """@handles in the places where X recognises one, in order; whether anybody holds them is not known here."""
    return [Found(match.start(), match.end(), match[1]) for match in _MENTION.finditer(text)]


def find_hashtags(text: str) -> list[Found]:
    """#words; one of digits alone is none."""
    matches = _HASHTAG.finditer(text)
    return [Found(match.start(), match.end(), match[1]) for match in matches if not match[1].isdigit()]


# --- addresses --------------------------------------------------------------------------------------------------

_RUN = re.compile(r"(https?://)?([\w.\-]+)", re.IGNORECASE)
_PORT = re.compile(r":[0-9]+")
_PATH = re.compile(r"/[\w!*';:=+,.$/%#\[\]\-–~@|&()]*")
_QUERY = re.compile(r"\?[\w!?*'@();:&=+$/%#\[\]\-.,~|]*")
_ASCII_RUN = re.compile(r"[a-z0-9\-.\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u00ff]+", re.IGNORECASE)
_LABEL_END = re.compile(r"xn--[a-z0-9-]+|[a-z0-9]+", re.IGNORECASE)
_NOT_BEFORE_URL = frozenset("@＠$#＃")
_NOT_BEFORE_BARE_DOMAIN = frozenset("-_./")


def find_urls(text: str) -> list[Found]:
    """What X takes for an address: with `https://`, and also bare `smoney.com`, `5.eu`, `done.Now`."""
    if "." not in text:
        return []
    found: list[Found] = []
    position = 0
    while run := _RUN.search(text, position):
        before = text[run.start() - 1] if run.start() else ""
        position = run.end()
        if before in _NOT_BEFORE_URL and before:
            continue
        domains = _domain_after_scheme(run) if run[1] else list(_bare_domains(run, before))
        found += [Found(start, end, text[start:end]) for start, end in domains[:-1]]
        for start, end in domains[-1:]:
            whole_end = _end_of_path(text, end) if end == _end_of_domain_run(text, run, end) else end
            found.append(Found(start, whole_end, text[start:whole_end]))
            position = max(position, whole_end)
    return found


def _end_of_domain_run(text: str, run: re.Match[str], end: int) -> int:
    """`end` if a path may follow the domain there: the run ends, or X's pattern stops at a character of no label."""
    return end if end == run.end() or not (text[end].isalnum() or text[end] in "-_.") else -1


def _domain_after_scheme(run: re.Match[str]) -> list[tuple[int, int]]:
    length = _domain_length(run[2])
    return [(run.start(), run.start(2) + length)] if length else []


def _bare_domains(run: re.Match[str], before: str) -> Iterator[tuple[int, int]]:
    """Domains of plain letters in a run that has no scheme before it."""
    for part in _ASCII_RUN.finditer(run[2]):
        lead = run[2][part.start() - 1] if part.start() else before
        offset = run.start(2) + part.start()
        for start, segment in _segments(part[0]):
            preceding = part[0][start - 1] if start else lead
            length = _domain_length(segment)
            below = preceding == "_" and segment[:length].count(".") > 1  # X allows _ in a subdomain only
            if length and (below or preceding not in _NOT_BEFORE_URL | _NOT_BEFORE_BARE_DOMAIN):
                yield offset + start, offset + start + length


def _segments(run: str) -> Iterator[tuple[int, str]]:
    """The pieces of a run that could be a domain, with where they begin: X allows no empty label."""
    for match in re.finditer(r"[^.\-][^.]*(?:\.[^.]+)*", run):
        yield match.start(), match[0]


def _domain_length(run: str) -> int:
    """How much of the run, from its beginning, is labels that end with a top-level domain; 0 if none is."""
    length = position = 0
    for number, label in enumerate(run.split(".")):
        if not label:
            break
        if number and (known := _known_end(label)):
            length = position + known
        position += len(label) + 1
    return length


def _known_end(label: str) -> int:
    """How much of the label's beginning is a top-level domain, 0 if it is none."""
    if label.lower() in _top_level_domains():
        return len(label)
    head = _LABEL_END.match(label)
    if head and (head[0].lower() in _top_level_domains() or head[0].lower().startswith("xn--")):
        return head.end()
    return 0


def _end_of_path(text: str, end: int) -> int:
    if port := _PORT.match(text, end):
        end = port.end()
    if path := _PATH.match(text, end):
        end += len(_without_closing(path[0]))
    if query := _QUERY.match(text, end):
        shortened = query[0].rstrip("!?*'@();:+$%[].,~|")
        end += len(shortened)
    return end


def _without_closing(path: str) -> str:
    """The path without the punctuation of the sentence around it; a bracket stays if it was opened inside."""
    opened = path.count("(") - path.count(")")
    end = len(path)
    while end and path[end - 1] in "!*';:,.$%[]~@|&()–":
        if path[end - 1] == ")" and opened >= 0:
            break
        opened += {")": 1, "(": -1}.get(path[end - 1], 0)
        end -= 1
    return path[:end]


@cache
def _top_level_domains() -> frozenset[str]:
    return frozenset((files("bot.x") / "top_level_domains.txt").read_text(encoding="utf-8").split())
