import os
import tempfile
import unittest
from datetime import date
from pathlib import Path

from ledgerlite import backup, exporter, hooks
from ledgerlite.attachments import Attachments, NotAllowed
from ledgerlite.rates import RateCache


class FilesTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def file(self, name, content="text"):
        path = self.folder / name
        path.write_text(content, encoding="utf-8")
        return path


class AttachmentsTest(FilesTest):
    def test_the_name_is_the_one_that_entries_refer_to(self):
        self.assertEqual(Attachments.name_for(b"receipt", ".pdf"), "1e11b989ba2f5e161cdad604bf3de90b.pdf")

    def test_a_file_is_kept_once(self):
        kept = Attachments(self.folder / "kept")
        first, second = kept.add(self.file("a.txt")), kept.add(self.file("b.txt"))
        self.assertEqual(first, second)
        self.assertEqual(kept.names(), [first])
        self.assertIn(first, kept)

    def test_damage_is_found(self):
        kept = Attachments(self.folder / "kept")
        name = kept.add(self.file("a.txt"))
        kept.path(name).write_text("changed", encoding="utf-8")
        self.assertEqual(kept.damaged(), [name])
        self.assertEqual(kept.remove_unused(set()), 1)

    def test_programs_are_no_receipts(self):
        with self.assertRaises(NotAllowed):
            Attachments(self.folder).add(self.file("a.exe"))


class BackupTest(FilesTest):
    def test_what_is_packed_comes_back(self):
        (self.folder / "attachments").mkdir()
        self.file("attachments/r.txt", "receipt")
        archive = backup.make(self.file("books.db", "books"), self.folder / "attachments", self.folder / "b", date(2024, 3, 1))
        self.assertEqual(archive.name, "ledgerlite-2024-03-01.tar.gz")
        found = backup.restore(archive, self.folder / "back")
        self.assertEqual(found, ["attachments/r.txt", "books.db"])
        self.assertEqual((self.folder / "back/books.db").read_text(), "books")

    def test_the_newest_are_kept(self):
        for day in range(1, 6):
            self.file(backup.archive_name(date(2024, 3, day)))
        self.assertEqual(len(backup.prune(self.folder, keep=2)), 3)

    def test_archives_are_mirrored_with_their_times(self):
        (self.folder / "from here").mkdir()
        source = self.file("from here/ledgerlite-x.tar.gz")
        os.utime(source, (1_700_000_000, 1_700_000_000))
        self.assertTrue(backup.mirror(self.folder / "from here", self.folder / "to"))
        self.assertEqual((self.folder / "to/ledgerlite-x.tar.gz").stat().st_mtime, 1_700_000_000)


class ExporterTest(FilesTest):
    rows = [("bank", "1,00 €"), ("card", "2,00 €")]

    def test_csv_and_text(self):
        table = exporter.write(self.rows, self.folder / "r.csv", ("account", "balance"))
        self.assertEqual(table.read_text(encoding="utf-8").splitlines()[1], 'bank,"1,00 €"')
        self.assertIn("bank  1,00 €", exporter.write(self.rows, self.folder / "r.txt").read_text(encoding="utf-8"))

    def test_nothing_is_left_behind(self):
        exporter.write(self.rows, self.folder / "r.csv")
        self.assertEqual(os.listdir(self.folder), ["r.csv"])

    def test_a_published_report_can_be_read_by_everybody(self):
        target = exporter.publish(self.file("r.txt", "report"), self.folder / "shared")
        self.assertEqual(target.read_text(), "report")
        self.assertEqual(target.stat().st_mode & 0o444, 0o444)

    def test_reports_queue_in_order(self):
        report = self.file("r.txt")
        names = [exporter.spool(report, self.folder / "spool").name for _ in range(2)]
        self.assertEqual(names, ["0000-r.txt", "0001-r.txt"])
        self.assertTrue(exporter.SPOOL.endswith("ledgerlite-spool"))


class HooksTest(FilesTest):
    def test_a_hook_may_be_a_pipeline(self):
        (hook,) = hooks.load('[hooks.top]\ncommand = "sort | head -2"\n')
        path = self.file("r.csv", "c\nb\na\n")
        self.assertEqual(hooks.apply([hook], path), 1)
        self.assertEqual(path.read_text(), "a\nb\n")

    def test_a_failing_hook_is_told(self):
        with self.assertRaisesRegex(hooks.HookFailed, "bad ended with"):
            hooks.Hook("bad", "grep zebra").run("horse\n")

    def test_a_hook_takes_only_its_formats(self):
        self.assertEqual(hooks.apply([hooks.Hook("x", "sort")], self.file("r.txt")), 0)


class RateCacheTest(FilesTest):
    def cache(self):
        self.asked = []

        def fetch(source, target, day):
            self.asked.append((source, target, day))
            return 1.25

        return RateCache(self.folder / "cache/rates", fetch)

    def test_a_rate_is_asked_for_once_even_after_a_restart(self):
        cache = self.cache()
        self.assertEqual(cache.convert(1000, "EUR", "USD", date(2024, 3, 1)), 1250)
        self.assertEqual(len(self.asked), 1)
        again = self.cache()
        self.assertEqual(again.rate("EUR", "USD", date(2024, 3, 1)), 1.25)
        self.assertEqual(again.rate("EUR", "EUR", date(2024, 3, 1)), 1.0)
        self.assertEqual(self.asked, [])

    def test_old_rates_are_forgotten(self):
        cache = self.cache()
        for day in (1, 20):
            cache.rate("EUR", "USD", date(2024, 3, day))
        self.assertEqual(cache.forget_before(date(2024, 3, 10)), 1)
