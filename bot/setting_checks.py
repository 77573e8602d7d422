"""Checks of single values of settings, and what is wrong with a value in plain words. Pure."""

import re
from ipaddress import ip_address
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic_core import ErrorDetails, PydanticCustomError

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def wrong(what: str, *, setting: str = "") -> PydanticCustomError:
    return PydanticCustomError("wrong", "{what}", {"what": what, "setting": setting})


def address_of_api(url: str) -> str:
    """Raises for what is neither a host over TLS nor a stand-in on this machine."""
    if not _is_bare(url) or not _is_safe(url, plain_to=frozenset({"127.0.0.1"})):
        raise wrong("is not https://HOST, nor http://127.0.0.1:PORT")
    return url.rstrip("/")


def address_of_pages(url: str) -> str:
    """May be empty: then nobody but this machine can reach them."""
    if url and not (_is_bare(url) and _is_safe(url, plain_to=LOOPBACK)):
        raise wrong("is not https://HOST (plain http only to this machine)")
    return url.rstrip("/")


def address_of_terms(url: str) -> str:
    """May be empty; else people are sent there, so it is nothing but an address."""
    parts = urlsplit(url)
    if url and (
        parts.scheme != "https"
        or not parts.hostname
        or not url.isascii()
        or not url.isprintable()
        or " " in url
    ):
        raise wrong("is not https://HOST/PATH")
    return url


def address_to_post_to(url: str) -> None:
    """Raises for what is neither https nor a listener on this machine."""
    parts = urlsplit(url)
    odd = not url.isascii() or not url.isprintable() or " " in url or parts.username or parts.password
    if odd or not parts.hostname or not _is_safe(url, plain_to=LOOPBACK):
        raise wrong("is not https://HOST/PATH (plain http only to this machine)")


def accounts_of_x(listed: str) -> str:
    """Raises for what is no list of ids and handles."""
    for account in listed.replace(",", " ").split():
        if not re.fullmatch(r"[0-9]{1,19}|@[A-Za-z0-9_]{1,15}", account):
            raise wrong("is not numeric ids or @handles with commas")
    return listed


def _is_safe(url: str, *, plain_to: frozenset[str]) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in plain_to)


def _is_bare(url: str) -> bool:
    parts = urlsplit(url)
    more = parts.path.strip("/") or parts.query or parts.fragment or parts.username or parts.password
    try:
        return bool(parts.hostname) and parts.port != 0 and not more
    except ValueError:
        return False


def own_address(host: str) -> str:
    try:
        ip_address(host)
    except ValueError:
        raise wrong("is not an IP address") from None
    return host


def time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        raise wrong("is not a time zone") from None
    return name


def in_words(error: ErrorDetails) -> str:
    """What pydantic found, as the end of a sentence that begins with the value."""
    bounds = {key: value for key, value in error.get("ctx", {}).items() if key in ("gt", "ge", "lt", "le")}
    if bounds:
        words = {"gt": "more than", "ge": "at least", "lt": "less than", "le": "at most"}
        return "is out of range, it must be " + " and ".join(
            f"{words[key]} {value}" for key, value in bounds.items()
        )
    match error["type"]:
        case "int_parsing" | "int_from_float" | "int_type":
            return "is not a whole number"
        case "float_parsing" | "float_type" | "finite_number":
            return "is not a number"
        case "literal_error":
            return f"is none of {error['ctx']['expected']}"
        case "string_pattern_mismatch":
            return "is not of the right form"
        case _:
            return error["msg"].rstrip(".")
