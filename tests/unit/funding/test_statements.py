"""Statements as banks hand them out, read to the cent; what cannot be read is one sentence with its line."""

from datetime import date
from pathlib import Path

import pytest

from bot.errors import Misconfigured
from bot.funding.csv_columns import columns_said
from bot.funding.csv_statement import read_csv
from bot.funding.reading import read_statement
from bot.funding.statements import WrongStatement
from ledger.money import currency_of

BANK = Path(__file__).parents[2] / "data" / "bank"


def sample(name):
    return (BANK / name).read_bytes()


def told(statement):
    return [(str(line.booked_on), line.amount.amount_minor, line.text) for line in statement.lines]


def minors(text, **named):
    return [line.amount.amount_minor for line in read_csv(text.encode(), **named).lines]


def problem(text, **named):
    with pytest.raises(WrongStatement) as refused:
        read_csv(text.encode() if isinstance(text, str) else text, **named)
    assert str(refused.value).endswith("Nothing was imported.")
    return str(refused.value)


class TestACsv:
    def test_of_a_german_bank(self):
        read = read_statement(sample("sparkasse.csv"))
        assert told(read) == [
            ("2026-11-26", 1250_00, "smoney 2831936139 NOTPROVIDED JÖRG MÜLLER"),
            ("2026-11-25", -40_00, "Auszahlung SEPA 000124 BOB MARTIN"),
            ("2026-11-25", -3_90, "Entgelte vom 31.10.26 bis 25.11.26"),
        ]
        assert {line.account for line in read.lines} == {"DE89370400440532013000"}

    def test_of_a_french_bank(self):
        assert told(read_statement(sample("banque.csv"))) == [
            ("2026-11-26", 1000_00, "VIR SEPA RECU /DE CÉLINE LEFÈVRE /MOTIF SMONEY 2831936139"),
            ("2026-11-25", -40_00, "VIR SEPA EMIS /MOTIF SEPA 000124"),
            ("2026-11-03", -8_50, "COTISATION COMPTE PRO"),
        ]

    def test_of_a_spanish_bank(self):
        assert told(read_statement(sample("banco.csv"))) == [
            ("2026-11-26", 50_25, "Transferencia de Íñigo Núñez @inigo"),
            ("2026-11-24", -1000_00, "Transferencia emitida a Bob, SEPA 000124"),
        ]

    def test_in_english(self):
        read = read_statement(sample("english.csv"))
        assert told(read) == [
            ("2026-11-26", 1250_00, 'From Alice Durand, "for @alice"'),
            ("2026-11-27", -10, "Fee"),
        ]
        assert [line.bank_reference for line in read.lines] == ["b7c1", "b7c3"]

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "iso-8859-1", "utf-16"])
    def test_in_the_encodings_of_banks(self, encoding):
        data = "Datum;Betrag;Zweck\n26.11.2026;1,00;für Jürgen\n".encode(encoding)
        assert told(read_statement(data)) == [("2026-11-26", 1_00, "für Jürgen")]

    @pytest.mark.parametrize(
        "data", [b"Datum;Betrag\x81\n26.11.2026;1,00\n", b"\xff\xfeD", b"D\0a\0t\0u\0m\0;\0", b"\xd8\x00" * 9]
    )
    def test_in_no_encoding_is_refused(self, data):
        assert "UTF-8, UTF-16 or ISO-8859-1" in problem(data)

    @pytest.mark.parametrize(
        ("headings", "row", "minor", "words"),
        [
            (
                '"Buchungsdatum";"Wertstellung";"Status";"Zahlungspflichtige*r";"Verwendungszweck";"IBAN";"Betrag (€)"',
                '"26.11.26";"26.11.26";"Gebucht";"Eva Klein";"fuer @eva";"DE02";"1.234,50"',
                1234_50,
                "Eva Klein fuer @eva",
            ),
            (
                "Buchung;Wertstellungsdatum;Auftraggeber/Empfänger;Buchungstext;Verwendungszweck;Saldo;Währung;Betrag;Währung",
                "26.11.2026;26.11.2026;Eva Klein;Gutschrift;Miete;9.999,00;EUR;-7,00;EUR",
                -7_00,
                "Eva Klein Miete",
            ),
            (
                '"Booking Date","Value Date","Partner Name","Partner Iban",Type,"Payment Reference","Amount (EUR)","Original Amount"',
                '2026-11-26,2026-11-26,"Eva","DE02",Income,"rent",1234.50,',
                1234_50,
                "Eva rent",
            ),
            (
                '"IBAN/BBAN","Munt","BIC","Volgnr","Datum","Rentedatum","Bedrag","Naam tegenpartij","Omschrijving-1"',
                '"NL02","EUR","RABO","0001","2026-11-26","2026-11-26","+25,50","Eva","huur"',
                25_50,
                "Eva huur",
            ),
            (
                "Data contabile;Data valuta;Descrizione;Dare;Avere",
                "26/11/2026;26/11/2026;affitto;7,00;",
                -7_00,
                "affitto",
            ),
            (
                "Data mov.;Data valor;Descrição;Montante;Saldo",
                "26-11-2026;26-11-2026;renda;-1.234,50;9,00",
                -1234_50,
                "renda",
            ),
            (
                "FECHA OPERACIÓN;FECHA VALOR;CONCEPTO;IMPORTE EUR;SALDO",
                "26/11/2026;27/11/2026;renta;7,5;1,0",
                7_50,
                "renta",
            ),
            (
                "Date;Valeur;Libellé;Débit euros;Crédit euros",
                "26/11/2026;26/11/2026;loyer;;7,50",
                7_50,
                "loyer",
            ),
        ],
    )
    def test_with_the_headings_of_banks_in_seven_languages(self, headings, row, minor, words):
        assert told(read_statement(f"{headings}\n{row}\n".encode())) == [("2026-11-26", minor, words)]

    def test_that_is_still_packed_is_refused(self):
        with pytest.raises(WrongStatement, match="unpack it"):
            read_statement(b"PK\x03\x04\0\0")

    def test_with_a_column_that_says_the_direction(self):
        text = 'Datum,Naam / Omschrijving,Af Bij,Bedrag (EUR)\n20261126,A,Bij,"10,00"\n20261126,B,Af,"2,50"\n'
        assert minors(text) == [10_00, -2_50]
        assert "came in or went out" in problem(text.replace("Af,", "Om,"))

    @pytest.mark.parametrize("row", ["26/11/2026;1,00;1,00", "26/11/2026;;", "26/11/2026;;-1,00"])
    def test_with_two_columns_says_one_thing(self, row):
        assert problem(f"Date;Débit;Crédit\n{row}\n").startswith("Line 2: It is not clear")

    def test_with_headings_that_an_admin_names(self):
        text = "Tag;Was;Wer;Euro\n2026-11-26;Miete;Eva;10.00\n"
        assert "--columns" in problem(text)
        said = columns_said("date=Tag,amount=Euro,text=Was,text=Wer")
        assert told(read_csv(text.encode(), said)) == [("2026-11-26", 10_00, "Miete Eva")]
        assert "No headings" in problem(text, columns=columns_said("date=Tag,amount=Eura"))

    @pytest.mark.parametrize("written", ["", "date", "day=Tag", "date=", "date=A,date=B"])
    def test_with_columns_named_wrongly(self, written):
        with pytest.raises(Misconfigured, match="--columns"):
            columns_said(written)

    def test_of_which_a_row_is_cut_off_is_refused_with_its_line(self):
        text = 'Datum;Betrag;Zweck\n26.11.2026;1,00;"zwei\nZeilen"\n\n26.11.2026;1,00\n'
        assert problem(text).startswith("Line 5: The row has 2 cells, the headings in line 1 have 3")

    @pytest.mark.parametrize(
        "text",
        [
            "Datum;Betrag;Währung\n26.11.2026;1,00;CHF\n",
            "Date,Amount (GBP)\n2026-11-26,1.00\n",
            "Datum;Betrag\n26.11.2026;1,00 USD\n",
            "Datum;Betrag\n26.11.2026;$1,00\n",
        ],
    )
    def test_in_another_currency_is_refused(self, text):
        assert "EUR" in problem(text)

    def test_says_nothing_of_its_lines_where_there_are_none(self):
        assert read_csv(b"Datum;Betrag\n").lines == ()

    def test_of_20_mb_and_more_is_refused(self):
        assert "20 MB" in problem(b"x" * (20 * 1024 * 1024 + 1))


def euros(*amounts):
    return "Datum;Betrag\n" + "".join(f"2026-11-26;{amount}\n" for amount in amounts)


class TestAmounts:
    @pytest.mark.parametrize(
        ("written", "minor"),
        [
            (("1.000", "2,50"), 1000_00),
            (("1,000", "2.50"), 1000_00),
            (("1.000.000", "1"), 1_000_000_00),
            (("1 234,5",), 1234_50),
            (("1'234.50",), 1234_50),
            (("-1.234,56 €",), -1234_56),
            (("EUR 7",), 7_00),
            (("7,00-",), -7_00),
            (("(7,00)",), -7_00),
            (("\u22127,00",), -7_00),
            (("0,05",), 5),
            ((",05",), 5),
            (("1234,56", "1.234,56"), 1234_56),
        ],
    )
    def test_are_read_as_the_file_writes_them(self, written, minor):
        assert minors(euros(*written))[0] == minor

    @pytest.mark.parametrize("written", [("1.000",), ("1,000", "2"), ("100.000", "-2.000", "7")])
    def test_that_could_be_a_thousand_or_one_are_refused(self, written):
        assert "Line 2: " in problem(euros(*written))
        assert "may be a thousand or one" in problem(euros(*written))

    def test_in_two_ways_are_refused_with_both_lines(self):
        assert "Line 4: '1.50' has another decimal mark than the amount in line 2" in problem(
            euros("1,50", "7", "1.50")
        )

    @pytest.mark.parametrize("written", ["1.000", "10.005", "0.001"])
    def test_have_no_more_decimals_than_the_currency(self, written):
        assert problem(euros("2.50", written)).startswith("Line 3: ")
        assert "more decimals" in problem(euros("2.50", written))

    def test_go_by_the_currency(self):
        with pytest.raises(WrongStatement, match="where JPY is expected"):
            read_csv(b"Date;Montant euros\n2026-11-26;700\n", currency=currency_of("JPY"))
        assert minors("Date,Amount\n2026-11-26,700\n", currency=currency_of("JPY")) == [700]
        assert minors("Date,Amount\n2026-11-26,1.0005\n", currency=currency_of("CLF")) == [1_0005]

    @pytest.mark.parametrize(
        "written",
        ["", "ten", "1,2,3", "1.00,00.0", "12,34,56.7", "1.0000,00", "1e3", "--1", "+-1", "1,00 2,00 x", "9" * 14, "٣", "NaN",
         "1..2", "(1", "1 2,00", "0x10", "1" * 200],
    )  # fmt: skip
    def test_that_are_none_are_refused(self, written):
        assert problem(euros("2,50", written)).startswith("Line 3: ")

    def test_of_nothing_are_no_lines(self):
        assert minors(euros("0,00", "2,50")) == [2_50]


class TestDays:
    @pytest.mark.parametrize(
        ("written", "order"),
        [
            ("2026-11-05", None),
            ("2026/11/05", None),
            ("20261105", None),
            ("2026-11-05T10:00:00Z", None),
            ("5.11.2026", None),
            ("05.11.26", None),
            ("05/11/2026", "DD/MM"),
            ("11-05-2026", "MM/DD"),
        ],
    )
    def test_are_read_as_the_file_writes_them(self, written, order):
        read = read_csv(f"Date;Amount\n{written};1\n".encode(), dates=order)
        assert read.lines[0].booked_on == date(2026, 11, 5)

    @pytest.mark.parametrize(
        ("telling", "found"), [("26/11/2026", "2026-06-05"), ("11/26/2026", "2026-05-06")]
    )
    def test_are_told_apart_by_one_after_the_twelfth(self, telling, found):
        read = read_csv(f"Date;Amount\n05/06/2026;1\n{telling};1\n".encode())
        assert str(read.lines[0].booked_on) == found

    def test_that_cannot_be_told_apart_have_to_be_said(self):
        said = problem("Date;Amount\n05/06/2026;1\n06/06/2026;1\n")
        assert said.startswith("Line 2: ")
        assert "--dates DD/MM" in said

    @pytest.mark.parametrize(
        "written",
        ["31/02/2026", "26.13.2026", "2026-11-31", "1926-11-26", "26/11/26", "today", "", "26.11.2026x"],
    )
    def test_that_are_none_are_refused(self, written):
        assert problem(f"Date;Amount\n{written};1\n", dates="DD/MM").startswith("Line 2: ")

    def test_in_two_ways_are_refused(self):
        assert "written otherwise" in problem("Date;Amount\n2026-11-26;1\n26.11.2026;1\n")
