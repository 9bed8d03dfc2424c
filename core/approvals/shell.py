"""A shell command line read into simple commands, strictly: what is not surely understood is refused, never guessed.

This is a reader of less than the shell's language on purpose. It takes words, quotes, variables, substitutions, lists,
pipelines, subshells, redirections and here-documents; loops, conditions, functions, arithmetic, brace expansion and
whatever else gives words another meaning raise `NotUnderstood`, and so does every doubt.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

LONGEST: Final = 10_000
"""Characters of a line that is read; a longer one is a script."""
MOST: Final = 100
"""Simple commands of a line; more fall back to asking, never to allowing."""
_DEEPEST = 12

_RESERVED = """
if then else elif fi for while until do done case esac select function in { } [[ ]] coproc time !
"""
RESERVED: Final = frozenset(_RESERVED.split()) - {"in"}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*\+?)=")
_REDIRECT = re.compile(r"([0-9]*)(<<<|<<-|<<|<>|<&|>&|>>|>\||>|<)|(&>>|&>)")
_BRACED = re.compile(r"\{(?:[A-Za-z_][A-Za-z0-9_]*|[0-9?#@*$!-])\}")
_SPECIAL = "?#@*$!-0123456789"
_ENDS_WORD = " \t\n;&|()<>"
_WORD_OVER = ("", *_ENDS_WORD)


class NotUnderstood(Exception):
    """Why a line can't be judged by its words: what it has, as the end of `It has ...`."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word as the program gets it. `known` is False where a variable or a substitution is in it.

    `glob`: it has an unquoted pattern, so it may become several words.
    """

    text: str
    known: bool = True
    glob: bool = False


@dataclass(frozen=True, slots=True)
class Redirect:
    """`operator` without its descriptor; a duplicated descriptor (`2>&1`) is left out, for it names no file."""

    operator: str
    target: Word

    @property
    def writes(self) -> bool:
        return ">" in self.operator


@dataclass(frozen=True, slots=True)
class Simple:
    """A program with its words; without words, assignments or redirections that stand alone.

    `beside`: the line has begun something before that may still run, by a `&`.
    """

    words: tuple[Word, ...]
    assignments: tuple[tuple[str, Word], ...] = ()
    redirects: tuple[Redirect, ...] = ()
    beside: bool = False

    @property
    def argv(self) -> tuple[str, ...] | None:
        """The words, None where one of them is not known before it runs."""
        if not all(word.known and not word.glob for word in self.words):
            return None
        return tuple(word.text for word in self.words)

    def __str__(self) -> str:
        return " ".join(word.text for word in self.words)


def parse(line: str, home: str = "~") -> tuple[Simple, ...]:
    """Every simple command that the line may run, those inside of substitutions too, in no guaranteed order.

    `home` is what `~` stands for. Raises NotUnderstood.
    """
    if len(line) > LONGEST:
        raise NotUnderstood(f"more than {LONGEST:,} characters")
    odd = next((char for char in line if not (char.isprintable() or char in "\n\t")), None)
    if odd is not None:
        raise NotUnderstood("hidden characters")
    reader = _Reader(line, home)
    reader.lines(until="")
    if reader.waiting:
        raise NotUnderstood("a here-document without its end")
    return tuple(reader.commands)


class _Reader:
    """A recursive descent over the line; `commands` fills as it goes."""

    def __init__(self, line: str, home: str) -> None:
        self.line, self.home, self.at = line, home, 0
        self.commands: list[Simple] = []
        self.waiting: list[tuple[str, bool, bool]] = []
        """Here-documents whose text begins after the next newline: their end, whether tabs go, whether quoted."""
        self._depth, self._beside = 0, False

    def lines(self, until: str) -> None:
        """Pipelines up to `until` (empty: the end of the line), which is left unread."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise NotUnderstood("commands nested too deeply")
        wanted = False
        while True:
            self._blanks(newlines=True)
            if self._peek() == until:
                if wanted:
                    raise NotUnderstood("an operator without a command after it")
                break
            self._pipeline()
            self._blanks()
            wanted = self._separator(until)
        self._depth -= 1

    def _separator(self, until: str) -> bool:
        """What ends a pipeline; whether another one must follow."""
        for operator in ("&&", "||"):
            if self.line.startswith(operator, self.at):
                self.at += 2
                return True
        char = self._peek()
        if char in (";", "&"):
            if self.line[self.at + 1 : self.at + 2] in (";", "&") and char == ";":
                raise NotUnderstood("a `;;` outside of a condition")
            self._beside |= char == "&"
            self.at += 1
        elif char == "\n":
            self._newline()
        elif char != until:
            raise NotUnderstood(f"a `{char}` where a command ends")
        return False

    def _pipeline(self) -> None:
        if re.compile(r"!(?=[ \t])").match(self.line, self.at):
            self.at += 1
            self._blanks()
        self._command()
        while True:
            self._blanks()
            if self._peek() != "|" or self.line.startswith("||", self.at):
                return
            self.at += 2 if self.line.startswith("|&", self.at) else 1
            self._blanks(newlines=True)
            self._command()

    def _command(self) -> None:
        if len(self.commands) >= MOST:
            raise NotUnderstood(f"more than {MOST} commands")
        if self._peek() != "(":
            self.commands.append(self._simple())
            return
        if self.line.startswith("((", self.at):
            raise NotUnderstood("arithmetic")
        self.at += 1
        self.lines(until=")")
        self.at += 1
        redirects = []
        self._blanks()
        while (found := _REDIRECT.match(self.line, self.at)) is not None:
            redirects.append(self._redirect(found))
            self._blanks()
        if named := tuple(redirect for redirect in redirects if redirect is not None):
            self.commands.append(Simple((), (), named))

    def _simple(self) -> Simple:
        words: list[Word] = []
        assignments: list[tuple[str, Word]] = []
        redirects: list[Redirect] = []
        began, both = self.at, False
        while True:
            self._blanks()
            if (found := _REDIRECT.match(self.line, self.at)) is not None:
                both |= found[3] is not None
                redirect = self._redirect(found)
                redirects += [redirect] if redirect else []
            elif self._peek() in ("", *_ENDS_WORD) or self._peek() == "#":
                self._comment()
                break
            elif not words and (found := _ASSIGNMENT.match(self.line, self.at)) is not None:
                self.at = found.end()
                assignments.append((found[1], self._word() or Word("")))
            elif both:
                raise NotUnderstood("a word behind a `&>`, which is a command of its own for some shells")
            elif (word := self._word()) is not None:
                words.append(word)
        if self._peek() == "(":
            raise NotUnderstood("a function or an array")
        if self.at == began:
            raise NotUnderstood(f"a `{self._peek()}` where a command is to begin")
        if words and words[0].text in RESERVED:
            raise NotUnderstood(f"`{words[0].text}`, a word of the shell's own language")
        return Simple(tuple(words), tuple(assignments), tuple(redirects), self._beside)

    def _redirect(self, found: re.Match[str]) -> Redirect | None:
        operator = found[2] or found[3]
        self.at = found.end()
        if self._peek() == "(":
            raise NotUnderstood("a process substitution")
        if operator in ("<&", ">&") and self._peek() == "-" and self.line[self.at + 1 : self.at + 2] not in _WORD_OVER:
            raise NotUnderstood("a closed descriptor with a word right behind it")  # another word, in bash
        self._blanks()
        if operator in ("<<", "<<-"):
            self._document(tabs=operator == "<<-")
            return None
        target = self._word()
        if target is None:
            raise NotUnderstood("a redirection without a target")
        if operator == "<<<" or (operator in (">&", "<&") and re.fullmatch(r"[0-9]+-?|-", target.text)):
            return None
        return Redirect(operator, target)

    def _document(self, *, tabs: bool) -> None:
        found = re.compile(r"'([^'\n]+)'|\"([^\"\n$`\\]+)\"|\\?([A-Za-z0-9_.-]+)").match(self.line, self.at)
        after = "" if found is None else self.line[found.end() : found.end() + 1]
        if found is None or after not in ("", *_ENDS_WORD):
            raise NotUnderstood("a here-document with an unusual end")
        self.at = found.end()
        plain = found[3] is not None and not found[0].startswith("\\")
        self.waiting.append((found[1] or found[2] or found[3], tabs, not plain))

    def _newline(self) -> None:
        """Go past a newline and the text of the here-documents that begin there."""
        self.at += 1
        waiting, self.waiting = self.waiting, []
        for end, tabs, quoted in waiting:
            while True:
                if self.at >= len(self.line):
                    raise NotUnderstood("a here-document without its end")
                text, newline, _ = self.line[self.at :].partition("\n")
                self.at += len(text) + len(newline)
                if (text.lstrip("\t") if tabs else text) == end:
                    break
                if not quoted and any(char in text for char in "$`\\"):
                    raise NotUnderstood("a here-document with expansions")

    def _word(self) -> Word | None:
        """The next word, None where none begins. Nothing of it is expanded; what would be makes it unknown."""
        parts: list[str] = []
        known, glob, began = True, False, self.at
        while (char := self._peek()) and char not in _ENDS_WORD:
            if char == "'":
                end = self.line.find("'", self.at + 1)
                if end < 0:
                    raise NotUnderstood("a quote without its end")
                parts.append(self.line[self.at + 1 : end])
                self.at = end + 1
            elif char == '"':
                known &= self._double(parts)
            elif char == "\\":
                self._escape(parts)
            elif char == "$":
                known &= self._dollar(parts, double=False)
            elif char == "~":
                known &= self._tilde(parts, began)
            else:
                glob |= char in "*?["
                parts.append(self._plain(char))
        text = "".join(parts)
        return Word(text, known, glob and text != "[") if self.at > began else None

    def _plain(self, char: str) -> str:
        if char == "`":
            raise NotUnderstood("backquotes")
        if char == "{" and self.line[self.at + 1 : self.at + 2] != "}":
            raise NotUnderstood("braces")
        length = 2 if char == "{" else 1
        self.at += length
        return self.line[self.at - length : self.at]

    def _escape(self, parts: list[str]) -> None:
        following = self.line[self.at + 1 : self.at + 2]
        if not following:
            raise NotUnderstood("a backslash at its end")
        if following != "\n":
            parts.append(following)
        elif self.line[self.at + 2 : self.at + 3] not in _WORD_OVER:
            raise NotUnderstood("a word over two lines")  # it may join a `$`, an `=` or an operator
        self.at += 2

    def _tilde(self, parts: list[str], began: int) -> bool:
        self.at += 1
        before = self.line[self.at - 2 : self.at - 1]
        if self.at - 1 == began and self._peek() in ("", "/", *_ENDS_WORD):
            parts.append(self.home)
            return True
        parts.append("~")
        return not (self.at - 1 == began or before in ("=", ":"))

    def _double(self, parts: list[str]) -> bool:
        self.at += 1
        known = True
        while (char := self._peek()) != '"':
            if char == "":
                raise NotUnderstood("a quote without its end")
            if char == "`":
                raise NotUnderstood("backquotes")
            if char == "$":
                known &= self._dollar(parts, double=True)
                continue
            if char == "\\" and (following := self.line[self.at + 1 : self.at + 2]) in ("$", "`", '"', "\\", "\n"):
                parts.append(following if following != "\n" else "")
                self.at += 2
                continue
            parts.append(char)
            self.at += 1
        self.at += 1
        return known

    def _dollar(self, parts: list[str], *, double: bool) -> bool:
        """What follows a dollar; whether the word is still known."""
        rest = self.line[self.at + 1 : self.at + 3]
        if rest == "\\\n":
            raise NotUnderstood("a word over two lines")
        if rest.startswith(("((", "[")):
            raise NotUnderstood("arithmetic")
        if rest.startswith("("):
            self.at += 2
            self.lines(until=")")
            self.at += 1
            parts.append("$(…)")
            return False
        if rest.startswith(("'", '"')) and not double:
            raise NotUnderstood("quotes with escapes of their own")
        if rest.startswith("{"):
            found = _BRACED.match(self.line, self.at + 1)
            if found is None:
                raise NotUnderstood("an expansion that does more than name a variable")
        else:
            found = _NAME.match(self.line, self.at + 1)
        end = found.end() if found else self.at + 1 + (rest[:1] != "" and rest[:1] in _SPECIAL)
        parts.append(self.line[self.at : end])
        known = end == self.at + 1
        self.at = end
        return known

    def _blanks(self, newlines: bool = False) -> None:
        while True:
            if self.line.startswith("\\\n", self.at):
                self.at += 2
            elif self._peek() in (" ", "\t"):
                self.at += 1
            elif newlines and self._peek() == "\n":
                self._newline()
            elif newlines and self._peek() == "#":
                self._comment()
            else:
                return

    def _comment(self) -> None:
        if self._peek() == "#":
            end = self.line.find("\n", self.at)
            self.at = len(self.line) if end < 0 else end

    def _peek(self) -> str:
        return self.line[self.at : self.at + 1]
