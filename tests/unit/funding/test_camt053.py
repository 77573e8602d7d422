"""CAMT.053 as banks hand it out, of any version, and what somebody might hand in instead."""

from pathlib import Path

import pytest

from bot.funding.camt053 import read_camt053
from bot.funding.reading import read_statement
from bot.funding.statements import WrongStatement
from bot.funding.xml_elements import DEEPEST, MOST_ELEMENTS

BANK = Path(__file__).parents[2] / "data" / "bank"
OLD, NEW = ((BANK / name).read_text(encoding="utf-8") for name in ("camt053-02.xml", "camt053-08.xml"))


def lines(text):
    return [
        (line.amount.amount_minor, line.bank_reference, line.text)
        for line in read_statement(text.encode()).lines
    ]


def problem(text):
    with pytest.raises(WrongStatement) as refused:
        read_camt053(text.encode() if isinstance(text, str) else text)
    return str(refused.value)


class TestAStatement:
    def test_of_version_02(self):
        read = read_statement(OLD.encode())
        assert lines(OLD) == [
            (1250_00, "2026112600001", "Jörg Müller smoney 2831936139 SEPA-GUTSCHRIFT"),
            (50_00, "2026112600002/1", "Alice Durand @alice A-1"),
            (25_00, "2026112600002/2", "Carol Weber @carol A-2"),
            (-40_00, "2026112600003", "Bob Martin SEPA 000124"),
            (-3_90, "", "Entgelt"),
        ]
        assert {line.account for line in read.lines} == {"DE89370400440532013000"}
        assert {str(line.booked_on) for line in read.lines} == {"2026-11-26"}
        ((account, on, amount),) = [
            (each.account, str(each.on), each.amount.amount_minor) for each in read.closing
        ]
        assert (account, on, amount) == ("DE89370400440532013000", "2026-11-26", 1381_10)

    def test_of_version_08(self):
        read = read_statement(NEW.encode())
        assert lines(NEW) == [
            (40_00, "R-77", "Bob Martin RF18539007547034 SEPA 000124"),
            (30_00, "R-78", "Sammler"),
        ]
        assert [line.is_reversal for line in read.lines] == [True, False]
        assert read.closing[0].amount.amount_minor == -12_50

    @pytest.mark.parametrize("version", ["02", "03", "04", "06", "08", "10"])
    def test_is_read_whatever_its_version(self, version):
        assert lines(OLD.replace("053.001.02", f"053.001.{version}")) == lines(OLD)

    @pytest.mark.parametrize("encoding", ["UTF-16", "ISO-8859-1"])
    def test_in_other_encodings(self, encoding):
        data = OLD.replace("UTF-8", encoding).encode(encoding)
        assert read_statement(data).lines == read_statement(OLD.encode()).lines

    def test_says_whom_a_collective_entry_is_for_only_where_its_parts_add_up(self):
        parts = OLD.replace('<Amt Ccy="EUR">25.00</Amt>', '<Amt Ccy="EUR">25.01</Amt>')
        assert lines(parts)[1:3] == [
            (75_00, "2026112600002", ""),
            (-40_00, "2026112600003", "Bob Martin SEPA 000124"),
        ]
        foreign = OLD.replace('<Amt Ccy="EUR">25.00</Amt>', '<Amt Ccy="USD">25.00</Amt>')
        assert lines(foreign)[1] == (75_00, "2026112600002", "")
        counted = OLD.replace("<NtryDtls><TxDtls>\n", "<NtryDtls><Btch><NbOfTxs>3</NbOfTxs></Btch><TxDtls>\n")
        assert lines(counted)[0] == (1250_00, "2026112600001", "SEPA-GUTSCHRIFT")

    def test_with_debits_among_a_collective_credit(self):
        mixed = NEW.replace('<ns2:Amt Ccy="EUR">30.00', '<ns2:Amt Ccy="EUR">0.00')
        assert len(lines(mixed)) == 1
        mixed = NEW.replace('<ns2:Amt Ccy="EUR">10.00</ns2:Amt><ns2:CdtDbtInd>CRDT</ns2:CdtDbtInd></ns2:TxDtls>',
                            '<ns2:Amt Ccy="EUR">10.00</ns2:Amt><ns2:CdtDbtInd>DBIT</ns2:CdtDbtInd></ns2:TxDtls>'
                            '<ns2:TxDtls><ns2:Amt Ccy="EUR">30.00</ns2:Amt></ns2:TxDtls>')  # fmt: skip
        assert [minor for minor, _, _ in lines(mixed)] == [40_00, 10_00, -10_00, 30_00]


class TestWhatIsNone:
    @pytest.mark.parametrize(
        ("found", "put", "said"),
        [
            ('<Amt Ccy="EUR">3.90</Amt>', '<Amt Ccy="CHF">3.90</Amt>', "CHF where EUR is expected"),
            ('<Amt Ccy="EUR">3.90</Amt>', "<Amt>3.90</Amt>", "No currency where EUR is expected"),
            ("<Ccy>EUR</Ccy>", "<Ccy>GBP</Ccy>", "GBP where EUR is expected"),
            ('<Amt Ccy="EUR">3.90</Amt>', '<Amt Ccy="EUR">3.905</Amt>', "more decimals"),
            ('<Amt Ccy="EUR">3.90</Amt>', '<Amt Ccy="EUR">3,90</Amt>', "is no amount"),
            ('<Amt Ccy="EUR">3.90</Amt>', '<Amt Ccy="EUR">-3.90</Amt>', "is no amount"),
            ('<Amt Ccy="EUR">3.90</Amt>', '<Amt Ccy="EUR">1e3</Amt>', "is no amount"),
            ('<Amt Ccy="EUR">3.90</Amt>', '<Amt Ccy="EUR">99999999999999</Amt>', "is more than"),
            ('<Amt Ccy="EUR">3.90</Amt>', "", "is missing"),
            ("<BookgDt><Dt>2026-11-26</Dt></BookgDt>\n    <AddtlNtryInf>", "<AddtlNtryInf>", "is no day"),
            ("<CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>", "<Sts>BOOK</Sts><BookgDt><Dt>", "came in or went out"),
            ("<IBAN>DE89370400440532013000</IBAN>", "", "neither IBAN nor number"),
        ],
    )  # fmt: skip
    def test_is_refused_with_its_line(self, found, put, said):
        changed = OLD.replace(found, put)
        assert changed != OLD
        refused = problem(changed)
        assert refused.startswith("Line ")
        assert said in refused

    def test_is_another_message_or_no_xml(self):
        report = OLD.replace("BkToCstmrStmt", "BkToCstmrAcctRpt")
        assert "no statement of an account" in problem(report)
        assert "begins with <html>" in problem("<html></html>")
        assert "well-formed" in problem(OLD[:-20])
        assert "no statement of an account" in problem("<Document/>")
        assert "Sts" in problem(OLD.replace("<Sts>PDNG</Sts>", ""))


class TestAHostileFile:
    def test_with_entities_of_its_own_is_refused_before_they_grow(self):
        laughs = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(9))
        bomb = f'<?xml version="1.0"?>\n<!DOCTYPE Document [<!ENTITY l0 "lol">{laughs}]><Document>&l9;</Document>'
        assert problem(bomb).startswith("Line 2: A document type (DOCTYPE) is not taken")

    def test_that_would_fetch_something_is_refused(self):
        fetching = '<!DOCTYPE Document SYSTEM "file:///etc/passwd"><Document/>'
        assert "DOCTYPE" in problem(fetching)

    def test_of_endless_depth_or_number_is_refused(self):
        assert "too deep" in problem("<Document>" + "<a>" * DEEPEST)
        assert "too many" in problem("<Document>" + "<a/>" * (MOST_ELEMENTS + 1))

    def test_of_one_endless_line_is_refused(self):
        assert "20 MB" in problem(b"<Document>" + b" " * 100_000_000)

    def test_of_one_long_text_is_read_without_it(self):
        long = OLD.replace("SEPA-GUTSCHRIFT", "x" * 5_000_000)
        assert len(lines(long)[0][2]) <= 1_000

    @pytest.mark.parametrize("encoding", ["utf-7", "EUC-JP", "klingon", "UTF-32"])
    def test_in_no_encoding_of_xml_is_refused(self, encoding):
        assert "Nothing was imported" in problem(OLD.replace("UTF-8", encoding))
