import ssl
import tempfile
import threading
import unittest
import urllib.request
from datetime import date
from pathlib import Path

from ledgerlite import sampledata, sync, webview
from ledgerlite.share import ALPHABET, LENGTH, Links, new_code, new_pin
from ledgerlite.store import Store


class FakeConnection:
    def __init__(self, status):
        self.status = status
        self.sent = []
        self.closed = False

    def request(self, *arguments):
        self.sent.append(arguments)

    def getresponse(self):
        return self

    def close(self):
        self.closed = True


class SyncTest(unittest.TestCase):
    def test_a_summary_is_posted_with_the_token(self):
        connection = FakeConnection(201)
        status = sync.send(sync.Server("cellar"), {"month": "2024-03"}, "t", lambda host, context: connection)
        self.assertEqual(status, 201)
        method, path, body, headers = connection.sent[0]
        self.assertEqual((method, path, headers["Authorization"]), ("POST", "/api/summary", "Bearer t"))
        self.assertTrue(connection.closed)

    def test_a_refusal_is_an_error(self):
        connection = FakeConnection(403)
        with self.assertRaisesRegex(sync.SyncFailed, "403"):
            sync.send(sync.Server("cellar"), {}, "t", lambda host, context: connection)

    def test_the_connection_is_encrypted(self):
        self.assertIsInstance(sync.Server("cellar").context(), ssl.SSLContext)

    def test_the_summary_of_a_month(self):
        with Store(":memory:") as store:
            sampledata.fill(store, days=31)
            content = sync.summary(store.entries(), "2024-01")
        self.assertEqual(content["income"], 310000)
        self.assertEqual(sync.summary([], "2024-01")["saved"], 0)


class ShareTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.links = Links(Path(folder.name) / "links.json")

    def test_a_link_opens_with_its_pin_until_it_ends(self):
        link = self.links.share("march.txt", date(2024, 3, 1), days=2)
        again = Links(self.links.path)
        self.assertEqual(again.report(link.code, link.pin, date(2024, 3, 3)), "march.txt")
        self.assertIsNone(again.report(link.code, link.pin + 1, date(2024, 3, 3)))
        self.assertIsNone(again.report(link.code, link.pin, date(2024, 3, 4)))
        self.assertEqual(again.expire(date(2024, 3, 4)), 1)

    def test_codes_and_pins_have_their_form(self):
        for _ in range(20):
            code = new_code()
            self.assertEqual(len(code), LENGTH)
            self.assertLessEqual(set(code), set(ALPHABET))
            self.assertTrue(1000 <= new_pin() <= 9999)


class WebviewTest(unittest.TestCase):
    def test_the_page_shows_the_balances(self):
        with tempfile.TemporaryDirectory() as folder:
            books = Path(folder) / "books.db"
            with Store(books) as store:
                sampledata.fill(store, days=31)
            server = webview.make_server(books, "127.0.0.1", 0)
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/") as answer:
                    page = answer.read().decode()
            finally:
                server.shutdown()
                thread.join()
                server.server_close()
        self.assertIn("<td>net worth</td>", page)
