"""Reads a bank's statement in ISO 20022 CAMT.053, versions .02 to .10. Pure.

Only what is booked counts. A collective entry becomes a line for each of its transactions where their amounts add up to it;
else it stays one line that names nobody. What differs between the versions: where the status stands, where a transaction's
amount and the names of the parties stand. (ISO 20022 message definitions, read on 2026-11-20.)
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from bot.funding.statements import (
    MOST_NAME,
    BankBalance,
    BankLine,
    BankStatement,
    ForeignCurrency,
    Told,
    WrongStatement,
    bare,
    bare_account,
    check_size,
    day,
    exact,
    nothing_told,
)
from bot.funding.xml_elements import Element, elements_of
from ledger.money import EUR, Currency, Money

BOOKED: Final = "BOOK"
CLOSING: Final = "CLBD"
NOT_PROVIDED: Final = "NOTPROVIDED"
"""What banks write where the payer gave no id."""
_NO_STATEMENT: Final = frozenset({"BkToCstmrAcctRpt", "BkToCstmrDbtCdtNtfctn"})
"""CAMT.052 and .054, in which a day is not over yet: what they tell comes again in a statement."""
_HANDED_OUT: Final = frozenset({"Acct", "Bal", "Ntry"}) | _NO_STATEMENT
_DAY: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[T+Z-].*)?")
_PARTIES: Final = ("Dbtr", "UltmtDbtr", "Cdtr", "UltmtCdtr")


def read_camt053(data: bytes, currency: Currency = EUR, *, told: Told = nothing_told) -> BankStatement:
    """All that is booked in it, in its order, and its closing balances. Raises `WrongStatement`."""
    check_size(data)
    reading = _Reading(currency)
    for element in elements_of(data, root="Document", ends=_is_wanted, told=told):
        reading.take(element)
    if not reading.account:
        raise WrongStatement("There is no statement of an account (BkToCstmrStmt) in it.")
    return BankStatement("camt053", tuple(reading.lines), tuple(reading.closing))


def _is_wanted(element: Element) -> bool:
    return element.name in _HANDED_OUT


@dataclass(slots=True)
class _Reading:
    currency: Currency
    account: str = ""
    lines: list[BankLine] = field(default_factory=list)
    closing: list[BankBalance] = field(default_factory=list)

    def take(self, element: Element) -> None:
        if element.name == "Acct":
            self._begin(element)
        elif not self.account or element.name in _NO_STATEMENT:
            raise WrongStatement("This is no statement of an account (CAMT.053).", line=element.line)
        elif element.name == "Bal":
            self.closing += self._closing(element)
        elif element.name == "Ntry":
            self.lines += self._lines(element)

    def _begin(self, element: Element) -> None:
        self.account = bare_account(element.words("Id", "IBAN") or element.words("Id", "Othr", "Id"))
        if not self.account:
            raise WrongStatement("The account has neither IBAN nor number.", line=element.line)
        code = element.words("Ccy")
        if code and code != self.currency.code:
            raise ForeignCurrency(code, self.currency, line=element.line)

    def _closing(self, element: Element) -> Iterator[BankBalance]:
        if element.words("Tp", "CdOrPrtry", "Cd") == CLOSING:
            amount = Money(self._signed(element), self.currency)
            yield BankBalance(self.account, _day(element, "Dt"), amount)

    # An entry

    def _lines(self, entry: Element) -> Iterator[BankLine]:
        status = entry.words("Sts", "Cd") or entry.words("Sts")
        if not status:
            raise WrongStatement("An entry does not say whether it is booked (Sts).", line=entry.line)
        total = self._signed(entry)
        if status != BOOKED or not total:
            return
        details = [*entry.all("NtryDtls", "TxDtls")]
        amounts = [self._of_detail(each, entry) for each in details]
        if len(details) > 1 and None not in amounts and sum(a for a in amounts if a) == total:
            for number, (detail, amount) in enumerate(zip(details, amounts, strict=True), start=1):
                if amount:
                    reference = _own_reference(detail) or _numbered(entry, number)
                    yield self._line(entry, [detail], amount, reference)
        else:
            named = details if len(details) == 1 and _says_one(entry) else []
            yield self._line(entry, named, total, _whole_reference(entry, named))

    def _line(self, entry: Element, named: Sequence[Element], minor: int, reference: str) -> BankLine:
        words = [word for detail in named for word in _words(detail)]
        return BankLine(
            account=self.account,
            booked_on=_day(entry, "BookgDt") if entry.one("BookgDt") else _day(entry, "ValDt"),
            amount=Money(minor, self.currency),
            bank_reference=reference,
            text=bare(" ".join([*words, entry.words("AddtlNtryInf")])),
            is_reversal=entry.words("RvslInd") in {"true", "1"},
        )

    # Amounts

    def _signed(self, element: Element) -> int:
        amount = element.one("Amt")
        if amount is None:
            raise WrongStatement("An amount (Amt) is missing.", line=element.line)
        if (code := amount.attributes.get("Ccy", "")) != self.currency.code:
            raise ForeignCurrency(code, self.currency, line=amount.line)
        return self._sign(element) * exact(amount.text, self.currency, line=amount.line)

    def _of_detail(self, detail: Element, entry: Element) -> int | None:
        """In the version of 2009 the amount stands among the details of amounts; none where it is in another currency."""
        amount = detail.one("Amt") or detail.one("AmtDtls", "TxAmt", "Amt")
        if amount is None or amount.attributes.get("Ccy") != self.currency.code:
            return None
        side = detail if detail.one("CdtDbtInd") else entry
        return self._sign(side) * exact(amount.text, self.currency, line=amount.line)

    @staticmethod
    def _sign(element: Element) -> int:
        side = element.words("CdtDbtInd")
        if side not in {"CRDT", "DBIT"}:
            raise WrongStatement(
                "It is not said whether money came in or went out (CdtDbtInd).", line=element.line
            )
        return 1 if side == "CRDT" else -1


def _day(element: Element, name: str) -> date:
    """As the bank counts days, whatever the time zone behind it."""
    written = element.words(name, "Dt") or element.words(name, "DtTm")
    match = _DAY.fullmatch(written)
    if match is None:
        raise WrongStatement(f"{bare(written, 40)!r} is no day ({name}).", line=element.line)
    return day(match[1], match[2], match[3], line=element.line)


def _words(detail: Element) -> Iterator[str]:
    """Who, what for, and the id the payer gave it. A party's name stands one level deeper since 2019."""
    for party in _PARTIES:
        yield detail.words("RltdPties", party, "Nm") or detail.words("RltdPties", party, "Pty", "Nm")
    for remittance in detail.all("RmtInf", "Ustrd"):
        yield remittance.text
    for remittance in detail.all("RmtInf", "Strd", "CdtrRefInf", "Ref"):
        yield remittance.text
    yield _given(detail.words("Refs", "EndToEndId"))
    yield detail.words("AddtlTxInf")


def _says_one(entry: Element) -> bool:
    """Whether the one transaction that is told of is all there was."""
    return entry.words("NtryDtls", "Btch", "NbOfTxs").lstrip("0") in {"", "1"}


def _whole_reference(entry: Element, named: Sequence[Element]) -> str:
    return bare(entry.words("AcctSvcrRef") or next(map(_own_reference, named), ""), MOST_NAME)


def _own_reference(detail: Element) -> str:
    """The bank's name of one transaction. What payers give (EndToEndId) is no name: they give it twice."""
    return bare(_given(detail.words("Refs", "AcctSvcrRef")) or detail.words("Refs", "TxId"), MOST_NAME)


def _numbered(entry: Element, number: int) -> str:
    whole = bare(entry.words("AcctSvcrRef"), MOST_NAME - 6)
    return f"{whole}/{number}" if whole else ""


def _given(reference: str) -> str:
    return "" if reference.upper() == NOT_PROVIDED else reference
