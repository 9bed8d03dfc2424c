import unittest

from ledgerlite import sampledata
from ledgerlite.budgets import BadBudget, amount, parse, usage
from ledgerlite.reports import as_table, balance_rows, budget_rows, months, net_worth
from ledgerlite.store import Store

BUDGET = """
[limits]
"expense:food" = "4 * 85.50"
"expense:fun" = 60
"expense:*" = { amount = "(1200 + 600) / 2", note = "all of it" }
"""


class Amounts(unittest.TestCase):
    def test_numbers_and_arithmetic(self):
        self.assertEqual(amount(60), 6000)
        self.assertEqual(amount("85.5"), 8550)
        self.assertEqual(amount("4 * 85.50"), 34200)
        self.assertEqual(amount("1200 / 12 + 5"), 10500)

    def test_what_is_no_amount_is_refused(self):
        for text in ("", "four", "-5", "'x' * 3", "[1]", True):
            with self.subTest(text), self.assertRaises(BadBudget):
                amount(text)


class Budgets(unittest.TestCase):
    def test_limits_are_read(self):
        limits = parse(BUDGET)
        self.assertEqual([limit.cents for limit in limits], [34200, 6000, 90000])
        self.assertEqual(limits[2].note, "all of it")

    def test_broken_toml_is_a_bad_budget(self):
        with self.assertRaises(BadBudget):
            parse("[limits")

    def test_usage_by_pattern(self):
        used = usage(parse(BUDGET), {"expense:food": 40000, "expense:fun": 1000})
        self.assertEqual([item.is_over for item in used], [True, False, False])
        self.assertEqual(used[2].left, 49000)


class Reports(unittest.TestCase):
    def setUp(self):
        self.store = Store(":memory:")
        self.addCleanup(self.store.close)
        sampledata.fill(self.store, days=31)

    def test_a_month_against_its_budget(self):
        rows = budget_rows(self.store, parse('[limits]\n"expense:rent" = 1000'), "2024-01")
        self.assertEqual(rows, [("expense:rent", "980,00 €", "1.000,00 €", "98 %", "ok")])

    def test_months_add_up_to_the_net_worth(self):
        ((month, income, expense),) = months(self.store.entries())
        self.assertEqual(month, "2024-01")
        self.assertEqual(income - expense, net_worth(self.store))

    def test_tables_are_aligned(self):
        lines = as_table(balance_rows(self.store), ("account", "balance")).splitlines()
        self.assertEqual(len({len(line) for line in lines}), 1)
