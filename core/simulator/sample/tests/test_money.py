import unittest

from ledgerlite.money import BadAmount, format_cents, parse_cents, percent, split_evenly


class ParseCents(unittest.TestCase):
    def test_reads_continental_notation(self):
        self.assertEqual(parse_cents("1.234,56"), 123456)
        self.assertEqual(parse_cents("-0,5"), -50)
        self.assertEqual(parse_cents(" 12 "), 1200)

    def test_reads_english_notation(self):
        self.assertEqual(parse_cents("1,234.56", decimal="."), 123456)

    def test_reads_a_typographic_minus(self):
        self.assertEqual(parse_cents("\u22127,00"), -700)

    def test_refuses_what_is_no_amount(self):
        for text in ("", "abc", "1,234", "--5", "1.2.3,4x"):
            with self.subTest(text), self.assertRaises(BadAmount):
                parse_cents(text)

    def test_refuses_another_decimal_sign(self):
        with self.assertRaises(AssertionError):
            parse_cents("1;5", decimal=";")


class Format(unittest.TestCase):
    def test_groups_thousands(self):
        self.assertEqual(format_cents(-1234567), "-12.345,67 €")
        self.assertEqual(format_cents(5, "USD", "."), "0.05 $")

    def test_shares_add_up(self):
        self.assertEqual(split_evenly(100, 3), [34, 33, 33])
        self.assertEqual(sum(split_evenly(-101, 4)), -101)

    def test_percent_of_nothing(self):
        self.assertEqual(percent(1, 0), "–")
        self.assertEqual(percent(1, 4), "25 %")


if __name__ == "__main__":
    unittest.main()
