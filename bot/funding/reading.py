"""One way in for whoever has a bank's file: XML is CAMT.053, anything else a CSV. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from bot.funding.camt053 import read_camt053
from bot.funding.csv_statement import read_csv
from bot.funding.statements import BankStatement, Told, WrongStatement, nothing_told
from ledger.money import EUR, Currency

_ZIP: Final = b"PK\x03\x04"
_XML: Final = re.compile(rb"(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?[\s\0]*<")


def read_statement(
    data: bytes,
    columns: Mapping[str, Sequence[str]] | None = None,
    dates: str | None = None,
    currency: Currency = EUR,
    *,
    told: Told = nothing_told,
) -> BankStatement:
    """Raises `WrongStatement`."""
    if data.startswith(_ZIP):
        raise WrongStatement("This is a ZIP file; unpack it, and import what is in it, the oldest day first.")
    if _XML.match(data):
        return read_camt053(data, currency, told=told)
    return read_csv(data, columns, dates, currency, told=told)
