import sqlite3
import unittest
from datetime import date

from ledgerlite import sampledata
from ledgerlite.models import Account, Entry, Kind, Unbalanced, transfer
from ledgerlite.store import Store


class StoreTest(unittest.TestCase):
    def setUp(self):
        self.store = Store(":memory:")
        self.addCleanup(self.store.close)
        self.store.open_account(Account("bank", Kind.ASSET))
        self.store.open_account(Account("expense:food", Kind.EXPENSE))

    def test_an_entry_comes_back_as_it_was(self):
        entry = transfer(date(2024, 3, 1), "Market", "bank", "expense:food", 1250)
        number = self.store.add(entry)
        (found,) = self.store.entries()
        self.assertEqual(found, entry)
        self.assertEqual(found.id, number)

    def test_an_unbalanced_entry_is_refused(self):
        with self.assertRaises(Unbalanced):
            self.store.add(Entry(date(2024, 3, 1), "odd").add("bank", 5))
        self.assertEqual(self.store.count("entry"), 0)

    def test_an_unknown_account_is_refused(self):
        with self.assertRaises(sqlite3.IntegrityError):
            self.store.add(transfer(date(2024, 3, 1), "x", "bank", "expense:boats", 5))
        self.assertEqual(self.store.count("entry"), 0)

    def test_a_reference_is_imported_once(self):
        entry = transfer(date(2024, 3, 1), "Market", "bank", "expense:food", 1250)
        entry.reference = "A-1"
        self.assertEqual(self.store.add_all([entry]), 1)
        self.assertTrue(self.store.has_reference("A-1"))
        self.assertFalse(self.store.has_reference("A-2"))
        self.assertEqual(self.store.add_all([entry]), 0)

    def test_balance_until_a_day(self):
        for day in (1, 15):
            self.store.add(transfer(date(2024, 3, day), "Market", "bank", "expense:food", 1000))
        self.assertEqual(self.store.balance("bank"), -2000)
        self.assertEqual(self.store.balance("bank", date(2024, 3, 10)), -1000)

    def test_search_is_by_part_of_the_text_newest_first(self):
        for day, text in ((1, "Corner shop"), (2, "Rent"), (3, "Workshop fee")):
            self.store.add(transfer(date(2024, 3, day), text, "bank", "expense:food", 100))
        self.assertEqual([entry.text for entry in self.store.search("shop")], ["Workshop fee", "Corner shop"])
        self.assertEqual(self.store.search("boat"), [])

    def test_only_our_tables_are_counted(self):
        with self.assertRaises(ValueError):
            self.store.count("sqlite_master")


class SampleData(unittest.TestCase):
    def test_the_same_seed_gives_the_same_books(self):
        def books(seed):
            with Store(":memory:") as store:
                sampledata.fill(store, seed, days=40)
                return [(entry.text, entry.turnover) for entry in store.entries()]

        self.assertEqual(books(7), books(7))
        self.assertEqual(len(books(7)), 31)

    def test_books_balance(self):
        with Store(":memory:") as store:
            sampledata.fill(store, days=60)
            self.assertEqual(sum(store.balance(account.name) for account in store.accounts()), 0)
