import unittest
from datetime import date

from ledgerlite.categories import Rules
from ledgerlite.importers import UnknownDialect, detect, entries, read_lines

SPARBANK = """Buchungstag;Verwendungszweck;Betrag;Referenz
01.03.2024;REWE   Markt;-23,50;R1
Zwischensumme;;;
04.03.2024;Gehalt Maerz;3.100,00;R2
"""
NORTHERN = "Date,Description,Amount,Transaction ID\n2024-03-01,Coffee,-3.20,T-9\n"


class ReadLines(unittest.TestCase):
    def test_bookings_are_read_and_subtotals_left_out(self):
        lines = list(read_lines(SPARBANK))
        self.assertEqual([line.cents for line in lines], [-2350, 310000])
        self.assertEqual(lines[0].text, "REWE Markt")
        self.assertEqual(lines[0].day, date(2024, 3, 1))

    def test_dialects_are_told_by_their_header(self):
        self.assertEqual(detect(NORTHERN.splitlines()[0]).name, "northern")
        self.assertEqual(next(read_lines("\ufeff" + NORTHERN)).reference, "T-9")
        with self.assertRaises(UnknownDialect):
            detect("a,b,c")

    def test_a_line_without_reference_gets_one_from_its_content(self):
        content = "Datum;Buchungstext;Betrag CHF\n01.03.24;Brot;-4.50\n"
        self.assertEqual(next(read_lines(content)).reference, "2024-03-01/-450/Brot")


class Entries(unittest.TestCase):
    rules = Rules.parse("expense:food <- rewe|edeka\n+income:salary <- gehalt  # monthly\n")

    def test_rules_choose_the_other_account(self):
        food, salary = entries(SPARBANK, "bank", self.rules)
        self.assertEqual({posting.account: posting.cents for posting in food.postings}, {"expense:food": 2350, "bank": -2350})
        self.assertEqual({posting.account: posting.cents for posting in salary.postings}, {"income:salary": -310000, "bank": 310000})

    def test_what_no_rule_knows_is_other(self):
        self.assertEqual(self.rules.account_for("Gehalt", -5), "expense:other")
        self.assertEqual(self.rules.account_for("gift", 5), "income:other")

    def test_a_line_that_is_no_rule_is_named(self):
        with self.assertRaisesRegex(ValueError, "line 2"):
            Rules.parse("a <- b\nnonsense\n")
