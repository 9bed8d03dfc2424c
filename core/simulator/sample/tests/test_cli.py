import contextlib
import io
import tempfile
import unittest
from pathlib import Path

from ledgerlite.cli import main


class CommandLine(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.books = str(self.folder / "books.db")

    def run_cli(self, *arguments):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(arguments)
        return code, out.getvalue(), err.getvalue()

    def test_from_statement_to_balance(self):
        statement = self.folder / "s.csv"
        statement.write_text("Date,Description,Amount,Transaction ID\n2024-03-01,Coffee,-3.20,T-9\n", encoding="utf-8")
        self.assertEqual(self.run_cli("init", self.books)[0], 0)
        self.assertEqual(self.run_cli("import", self.books, str(statement))[1], "1 new entries\n")
        self.assertEqual(self.run_cli("import", self.books, str(statement))[1], "0 new entries\n")
        self.assertIn("-3,20 €", self.run_cli("balance", self.books)[1])
        self.assertIn("Coffee", self.run_cli("search", self.books, "off")[1])

    def test_export_and_backup(self):
        self.run_cli("init", self.books, "--sample")
        code, out, _ = self.run_cli("export", self.books, str(self.folder / "r.csv"))
        self.assertEqual((code, Path(out.strip()).exists()), (0, True))
        code, out, _ = self.run_cli("backup", self.books, str(self.folder / "b"))
        self.assertEqual((code, Path(out.strip()).exists()), (0, True))

    def test_an_error_is_one_line(self):
        code, _, err = self.run_cli("import", self.books, str(self.folder / "none.csv"))
        self.assertEqual(code, 1)
        self.assertEqual(len(err.splitlines()), 1)
