"""The command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from ledgerlite import backup, budgets, exporter, hooks, importers, reports, sampledata, webview
from ledgerlite.categories import Rules
from ledgerlite.models import Account, Kind
from ledgerlite.store import Store


def _kind_of(name: str) -> Kind:
    head = name.partition(":")[0]
    return Kind(head) if head in {kind.value for kind in Kind} else Kind.ASSET


def _init(options: argparse.Namespace) -> str:
    with Store(options.books) as store:
        if options.sample:
            return f"{sampledata.fill(store)} made-up entries"
        for name in options.accounts or ("bank", "income:other", "expense:other"):
            store.open_account(Account(name, _kind_of(name)))
        return f"{store.count('account')} accounts"


def _import(options: argparse.Namespace) -> str:
    rules = Rules.parse(options.rules.read_text(encoding="utf-8")) if options.rules else Rules()
    with Store(options.books) as store:
        for name in sorted(rules.accounts() | {options.account}):
            store.open_account(Account(name, _kind_of(name)))
        content = options.statement.read_text(encoding="utf-8")
        added = store.add_all(importers.entries(content, options.account, rules))
    return f"{added} new entries"


def _balance(options: argparse.Namespace) -> str:
    with Store(options.books) as store:
        return reports.as_table(reports.balance_rows(store), ("account", "balance"))


def _budget(options: argparse.Namespace) -> str:
    limits = budgets.parse(options.budget.read_text(encoding="utf-8"))
    with Store(options.books) as store:
        rows = reports.budget_rows(store, limits, options.month or date.today().strftime("%Y-%m"))
    return reports.as_table(rows, ("accounts", "spent", "limit", "", ""))


def _search(options: argparse.Namespace) -> str:
    with Store(options.books) as store:
        return "\n".join(f"{entry.day}  {entry.text}" for entry in store.search(options.words))


def _export(options: argparse.Namespace) -> str:
    with Store(options.books) as store:
        written = exporter.write(reports.balance_rows(store), options.target, ("account", "balance"))
    if options.hooks:
        hooks.apply(hooks.load(options.hooks.read_text(encoding="utf-8")), written)
    return str(written)


def _backup(options: argparse.Namespace) -> str:
    made = backup.make(options.books, options.books.parent / "attachments", options.folder, date.today())
    backup.prune(options.folder)
    return str(made)


def _serve(options: argparse.Namespace) -> str:
    server = webview.make_server(options.books, options.host, options.port)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()
    return ""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ledgerlite", description="Household bookkeeping")
    commands = parser.add_subparsers(dest="command", required=True)

    def command(name: str, run, *arguments: tuple[str, dict]) -> None:
        sub = commands.add_parser(name)
        sub.add_argument("books", type=Path)
        for argument, settings in arguments:
            sub.add_argument(argument, **settings)
        sub.set_defaults(run=run)

    command("init", _init, ("accounts", {"nargs": "*"}), ("--sample", {"action": "store_true"}))
    command("import", _import, ("statement", {"type": Path}), ("--account", {"default": "bank"}), ("--rules", {"type": Path}))
    command("balance", _balance)
    command("budget", _budget, ("budget", {"type": Path}), ("--month", {}))
    command("search", _search, ("words", {}))
    command("export", _export, ("target", {"type": Path}), ("--hooks", {"type": Path}))
    command("backup", _backup, ("folder", {"type": Path}))
    command("serve", _serve, ("--host", {"default": webview.HOST}), ("--port", {"type": int, "default": webview.PORT}))
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    options = build_parser().parse_args(arguments)
    try:
        print(options.run(options))
    except (ValueError, OSError, hooks.HookFailed) as error:
        print(f"ledgerlite: {error}", file=sys.stderr)
        return 1
    return 0
