"""An account's statement as ISO 20022 CAMT.053 (camt.053.001.08), the form banks and bookkeeping programs exchange.

A credit is what makes the account grow, seen by its holder. Only posted money is in it. It streams.
"""

from collections.abc import Iterator
from datetime import datetime
from xml.sax.saxutils import escape

from sqlmodel import Session

from ledger.errors import Invalid
from ledger.money import ISO_EXPONENTS, decimal_text
from ledger.statements import MOVES_MONEY, Entry, Statement

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"


def camt053(session: Session, statement: Statement, *, made_at: datetime, message_id: str) -> Iterator[str]:
    """The statement's XML in pieces. `message_id` (up to 35 characters) must be new for each file handed out.

    Raises `Invalid` for an account in an own unit: CAMT knows currencies of ISO 4217 only.
    """
    currency = statement.account.currency
    if currency.code not in ISO_EXPONENTS:
        raise Invalid(f"CAMT.053 knows no {currency.code}: only currencies of ISO 4217")
    if not 1 <= len(message_id) <= 35:
        raise Invalid(f"message id {message_id!r}: 1 to 35 characters")
    yield _head(statement, made_at, message_id)
    for entry in statement.entries(session):
        if entry.transfer.kind in MOVES_MONEY:
            yield _entry(entry, statement)
    yield "</Stmt></BkToCstmrStmt></Document>\n"


def _head(statement: Statement, made_at: datetime, message_id: str) -> str:
    account = statement.account
    made, until = _time(made_at), statement.until or made_at
    since = f"<FrDtTm>{_time(statement.since)}</FrDtTm>" if statement.since else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<Document xmlns="{NAMESPACE}"><BkToCstmrStmt>\n'
        f"<GrpHdr><MsgId>{escape(message_id)}</MsgId><CreDtTm>{made}</CreDtTm></GrpHdr>\n"
        f"<Stmt><Id>{escape(message_id)}</Id><ElctrncSeqNb>{statement.closing.version}</ElctrncSeqNb>"
        f"<CreDtTm>{made}</CreDtTm>"
        + (f"<FrToDt>{since}<ToDtTm>{_time(until)}</ToDtTm></FrToDt>" if since else "")
        + f"<Acct><Id><Othr><Id>{account.id}</Id></Othr></Id><Ccy>{account.currency.code}</Ccy></Acct>\n"
        + _balance("OPBD", statement.opening_minor, statement, statement.since or made_at)
        + _balance("CLBD", statement.closing_minor, statement, until)
    )


def _balance(code: str, minor: int, statement: Statement, at: datetime) -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{_amount(minor, statement)}"
        f"<Dt><Dt>{at.date()}</Dt></Dt></Bal>\n"
    )


def _entry(entry: Entry, statement: Statement) -> str:
    one = entry.transfer
    return (
        f"<Ntry><NtryRef>{one.id}</NtryRef>{_amount(entry.change_minor, statement)}"
        f"<RvslInd>{str(one.reverses_id is not None).lower()}</RvslInd><Sts><Cd>BOOK</Cd></Sts>"
        f"<BookgDt><DtTm>{_time(one.booked_at)}</DtTm></BookgDt><ValDt><Dt>{entry.day}</Dt></ValDt>"
        f"<AcctSvcrRef>{one.id}</AcctSvcrRef><BkTxCd><Prtry><Cd>{escape(one.code[:35])}</Cd></Prtry></BkTxCd>"
        f"<NtryDtls><TxDtls><Refs><AcctSvcrRef>{one.journal_id}</AcctSvcrRef></Refs>"
        f"{_amount(entry.change_minor, statement)}</TxDtls></NtryDtls></Ntry>\n"
    )


def _amount(minor: int, statement: Statement) -> str:
    currency = statement.account.currency
    text = decimal_text(abs(minor), currency.exponent)
    side = "DBIT" if minor < 0 else "CRDT"
    return f'<Amt Ccy="{currency.code}">{text}</Amt><CdtDbtInd>{side}</CdtDbtInd>'


def _time(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
