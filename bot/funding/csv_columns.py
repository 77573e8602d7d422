"""Which column of a bank's CSV is what: by its heading in the languages of those who use this, or as an admin says. Pure.

A heading that banks use for two things counts for neither: `Referenz` is mostly what the payer wrote and so a text, `Valuta` is
a day or a currency. What cannot be told has to be said with --columns.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bot.errors import Misconfigured
from bot.funding.statements import ForeignCurrency
from ledger.money import ISO_EXPONENTS, Currency

HEADINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "date": (
        "buchungstag", "buchungsdatum", "buchung", "booking date", "posting date", "date de comptabilisation", "date comptable",
        "date operation", "date de l operation", "date d operation", "dateop", "fecha contable", "fecha operacion",
        "fecha de operacion", "f operacion", "data contabile", "data operazione", "data registrazione", "boekdatum",
        "boekingsdatum", "transactiedatum", "data mov", "data movimento", "data do movimento", "data operacao",
        "data de lancamento", "data lancamento", "transaction date", "completed date", "datum", "date", "fecha", "data",
    ),
    "amount": ("betrag", "umsatz", "amount", "montant", "importe", "importo", "bedrag", "valor", "montante", "importancia"),
    "debit": (
        "soll", "belastung", "debit", "debits", "paid out", "money out", "withdrawal", "withdrawals", "cargo", "cargos", "debe",
        "addebiti", "addebito", "dare", "uscite", "af", "debito", "debitos",
    ),
    "credit": (
        "haben", "gutschrift", "credit", "credits", "paid in", "money in", "deposit", "deposits", "abono", "abonos", "haber",
        "accrediti", "accredito", "avere", "entrate", "bij", "credito", "creditos",
    ),
    "direction": (
        "soll haben", "s h", "h s", "soll haben kennzeichen", "debit credit", "credit debit indicator", "d c", "sens",
        "debe haber", "dare avere", "af bij", "debito credito",
    ),
    "currency": ("wahrung", "waehrung", "currency", "devise", "divisa", "moneda", "munt", "muntsoort", "moeda"),
    "account": (
        "auftragskonto", "iban auftragskonto", "kontonummer", "account", "account number", "compte", "numero de compte",
        "cuenta", "numero de cuenta", "conto", "rekening", "rekeningnummer", "iban bban", "conta", "numero da conta",
    ),
    "reference": (
        "bankreferenz", "bank reference", "transaction id", "transaktions id", "reference banque", "referencia banco",
        "volgnr", "transactiereferentie", "numero d operation", "numero operation", "numero operacion",
        "numero de operacion", "numero operazione",
    ),
    "state": ("status", "info", "state", "etat", "estado", "stato"),
    "text": (
        "verwendungszweck", "vwz", "zweck", "referenz", "kundenreferenz", "kundenreferenz end to end", "empfanger",
        "auftraggeber", "auftraggeber empfanger", "beguenstigter zahlungspflichtiger", "begunstigter zahlungspflichtiger",
        "zahlungspflichtiger", "zahlungspflichtige r", "zahlungsempfanger in", "name zahlungsbeteiligter",
        "description", "details", "narrative", "memo", "reference", "payment reference", "payee", "name", "counter party",
        "counterparty", "partner name", "remittance information", "message",
        "libelle", "libelle operation", "libelle de l operation", "libelle simplifie", "libelle complet", "motif", "nom",
        "communication", "detail", "details de l operation", "informations complementaires",
        "concepto", "descripcion", "observaciones", "ordenante", "beneficiario", "mas datos", "movimiento", "referencia",
        "descrizione", "descrizione operazione", "causale", "riferimento", "ordinante", "controparte",
        "omschrijving", "omschrijving 1", "omschrijving 2", "omschrijving 3", "mededelingen", "naam omschrijving", "naam",
        "naam tegenpartij", "betalingskenmerk", "referentie",
        "descricao", "descritivo", "historico", "ordenador",
    ),
}  # fmt: skip
"""Without accents and in small letters, the more certain ones first."""
SEVERAL: Final = frozenset({"text", "currency"})
"""Of these, every column with such a heading counts; of the others one."""
_BRACKETED: Final = re.compile(r"[(\[]([^)\]]*)[)\]]")
_EUROS: Final = frozenset({"euro", "euros"})
_WORD: Final = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each thing stands in a row, and how many columns a row has."""

    places: Mapping[str, tuple[int, ...]]
    width: int

    def cells(self, role: str, row: Sequence[str]) -> Iterator[str]:
        for place in self.places.get(role, ()):
            yield row[place].strip()

    def cell(self, role: str, row: Sequence[str]) -> str:
        return next(self.cells(role, row), "")

    def has(self, role: str) -> bool:
        return role in self.places


def columns_said(written: str) -> dict[str, tuple[str, ...]]:
    """`date=Tag,amount=Betrag,text=Zweck,text=Name` as an admin types it. Raises `Misconfigured`."""
    said: dict[str, tuple[str, ...]] = {}
    for pair in written.split(","):
        role, _, heading = pair.partition("=")
        role = role.strip()
        if role not in HEADINGS or not heading.strip() or (role in said and role not in SEVERAL):
            raise Misconfigured(
                "--columns",
                f"{pair.strip()!r} does not say which column is one of {', '.join(HEADINGS)}.",
                example="--columns 'date=Tag,amount=Betrag,text=Zweck,text=Name'",
            )
        said[role] = (*said.get(role, ()), heading.strip())
    return said


def columns_of(
    row: Sequence[str], said: Mapping[str, Sequence[str]], currency: Currency, *, line: int
) -> Columns | None:
    """The columns, where this row is the headings; None where it is not. Raises `ForeignCurrency`."""
    headings = [_plain(cell) for cell in row]
    known: dict[str, tuple[str, ...]] = {**HEADINGS}
    if "amount" in said:
        known |= {"debit": (), "credit": ()}
    elif {"debit", "credit"} & said.keys():
        known["amount"] = ()
    known |= {role: tuple(map(_plain, names)) for role, names in said.items()}
    places = {role: found for role, names in known.items() if (found := _places(role, names, headings))}
    if any(role not in places for role in said) or "date" not in places:
        return None
    if "amount" not in places and not {"debit", "credit"} <= places.keys():
        return None
    for role in ("amount", "debit", "credit"):
        for place in places.get(role, ()):
            _check_currency(row[place], currency, line=line)
    return Columns(places, len(row))


def _places(role: str, names: Sequence[str], headings: Sequence[str]) -> tuple[int, ...]:
    if role in SEVERAL:
        return tuple(place for place, heading in enumerate(headings) if heading in names)
    return next(((headings.index(name),) for name in names if name in headings), ())


def _plain(heading: str) -> str:
    """`Date d'opération`, `DATE D OPERATION` and `Montant (EUR)` by their bare words."""
    folded = unicodedata.normalize("NFKD", _BRACKETED.sub(" ", heading)).casefold()
    bare = "".join(mark for mark in folded if not unicodedata.combining(mark))
    words = _WORD.findall(bare)
    if len(words) > 1 and (words[-1].upper() in ISO_EXPONENTS or words[-1] in _EUROS):
        words = words[:-2] if words[-2] == "in" else words[:-1]
    return " ".join(words)


def _check_currency(heading: str, currency: Currency, *, line: int) -> None:
    """`Amount (GBP)` says what its amounts are."""
    euros = ["EUR"] if _EUROS & set(heading.casefold().split()) else []
    for code in euros + re.findall(r"\b[A-Z]{3}\b", heading):
        if code in ISO_EXPONENTS and code != currency.code:
            raise ForeignCurrency(heading, currency, line=line)
