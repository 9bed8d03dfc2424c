from __future__ import annotations

import json
import os
from base64 import b64encode, urlsafe_b64encode
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.tools.secrets import Redactor, is_secret_name

PEM = (
    f"-----BEGIN RSA {'PRIVATE'} KEY-----\n"
    + "\n".join(["MIIEpAIBAAKCAQEA7bq" * 3] * 12)
    + "\n-----END RSA PRIVATE KEY-----"
)
TOKENS = {
    "Anthropic key": "sk-" + "ant-api03-AbCdEf0123456789_xyz",
    "OpenRouter key": "sk-" + "or-v1-0123456789abcdef0123456789",
    "API key": "sk-" + "proj-0123456789abcdefghijklmnopqrstuvwxyz",
    "AWS key": "AKIA" + "IOSFODNN7EXAMPLE",
    "GitHub token": "ghp_" + "0123456789abcdefghijABCDEFGHIJ012345",
    "GitLab token": "glpat-" + "0123456789abcdefghij",
    "Slack token": "xoxb-" + "1234567890-abcdefghij",
    "Google key": "AIza" + "0123456789abcdefghijABCDEFGHIJ01234",
    "Hugging Face token": "hf_" + "abcdefghijABCDEFGHIJabcdefghijABCD",
    "npm token": "npm_" + "0123456789abcdefghijABCDEFGHIJ012345",
    "PyPI token": "pypi-" + "AgEIcHlwaS5vcmc" * 4,
    "Stripe key": "sk_" + "live_0123456789abcdefghij",
    "JSON web token": "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
    "private key": PEM,
}
SECRETS = {"MY_API_KEY": "correct horse", "DB_PASSWORD": "päss/wörd+1"}
REDACTOR = Redactor({**SECRETS, "SHORT_KEY": "abc", "HOME": "/home/me1"})


def test_a_name_that_speaks_of_a_secret_is_told_from_one_that_does_not() -> None:
    secret = "MY_API_KEY gh_token DB_PASSWORD DB_PASS PASS GPG_PASSPHRASE MYSQL_PWD GITHUB_PAT NPM_AUTH AWS_SECRET"
    plain = "HOME PWD OLDPWD PATH SSH_AUTH_SOCK COMPASS PASSIVE_MODE LANG EDITOR BYPASS"
    assert all(map(is_secret_name, secret.split())) and not any(map(is_secret_name, plain.split()))


def test_a_folder_that_is_there_is_no_secret_for_texts_name_what_lies_in_it(tmp_path: Path) -> None:
    gone = tmp_path / "no-such-folder"
    redactor = Redactor({"ORIG_PWD": str(tmp_path), "TOKENIZERS_CACHE": "/" + "x" * 999, "DB_PWD": str(gone)})
    assert redactor(f"{tmp_path}/notes.txt") == f"{tmp_path}/notes.txt"
    assert redactor(f"{gone}") == "[redacted: value of DB_PWD]"


@pytest.mark.parametrize("kind", TOKENS)
def test_known_shapes_are_replaced_and_named(kind: str) -> None:
    assert REDACTOR(f"a='{TOKENS[kind]}' b") == f"a='[redacted: {kind}]' b"


def test_values_of_secret_variables_are_replaced_in_every_form() -> None:
    for name, value in SECRETS.items():
        encoded = (encode(value.encode()).decode().rstrip("=") for encode in (b64encode, urlsafe_b64encode))
        for form in (value, quote(value, safe=""), quote_plus(value), json.dumps(value)[1:-1], *encoded):
            assert REDACTOR(f"<{form}>") == f"<[redacted: value of {name}]>"


def test_of_a_value_that_ends_with_what_is_escaped_nothing_is_left() -> None:
    assert Redactor({"MY_KEY": "pass word\\"})(json.dumps("pass word\\")) == '"[redacted: value of MY_KEY]"'


VALUES = st.text(min_size=8, max_size=60).filter(lambda value: not os.path.lexists(value))
"""A path that is there, which the property tests know from this very code, is no secret."""


@given(st.binary(max_size=40), VALUES, st.binary(max_size=40))
@settings(max_examples=200, deadline=None)
def test_of_a_value_in_the_base64_of_more_no_whole_byte_is_left(before: bytes, value: str, after: bytes) -> None:
    data = value.encode()
    for encode in (b64encode, urlsafe_b64encode):
        text = encode(before + data + after).decode()
        first, end = -(-8 * len(before) // 6), 8 * len(before + data) // 6
        assert text[first:end] not in Redactor({"MY_KEY": value})(text)


ESCAPES = {
    "a URL": lambda mark: "".join(f"%{byte:02X}" for byte in mark.encode()),
    "a URL in small letters": lambda mark: "".join(f"%{byte:02x}" for byte in mark.encode()),
    "JSON": lambda mark: json.dumps(mark)[1:-1],
    "JSON without need": lambda mark: "".join(
        f"\\u{mark.encode('utf-16-be')[at : at + 2].hex().upper()}" for at in range(0, len(mark.encode("utf-16-be")), 2)
    ),
    "PHP's JSON": lambda mark: {"/": "\\/"}.get(mark, json.dumps(mark, ensure_ascii=False)[1:-1]),
}


@given(VALUES, st.data())
@settings(max_examples=150, deadline=None)
def test_whichever_characters_a_url_or_json_escapes_the_value_is_known(value: str, data: st.DataObject) -> None:
    escape = ESCAPES[data.draw(st.sampled_from(sorted(ESCAPES)))]
    safe = data.draw(st.sampled_from(["", "/", "/+&=", "!$&'()*+,;=:@/?"]))
    plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.~-" + safe
    written = "".join(mark if mark in plain else escape(mark) for mark in value)
    assert Redactor({"MY_KEY": value})(f"<{written}>") == "<[redacted: value of MY_KEY]>"


def test_a_known_secret_longer_than_any_token_is_found_where_two_pieces_meet() -> None:
    value = "wide+secret " * 1_000
    text = f"{'lorem ' * 9_000}{value}{' ipsum' * 9_000}"
    pieces = [text[at : at + 4_096] for at in range(0, len(text), 4_096)]
    assert "wide" not in "".join(Redactor({"MY_KEY": value}).stream(pieces))


def test_passwords_in_urls_go_and_the_host_stays() -> None:
    assert REDACTOR("postgres://me:hunter2@db/x") == "postgres://[redacted: password in a URL]@db/x"


def test_ordinary_text_stays_as_it_is() -> None:
    text = (
        "abc /home/me1 123e4567-e89b-12d3-a456-426614174000 9fceb02d0ae598e95dc970b74767f19372d61af8 "
        "https://example.org/a@b:c mailto:a@b.org sk-learn task-force eyJ x://${USER}:$PW@host risk-management"
    )
    assert REDACTOR(text) == text


def test_redacting_twice_changes_nothing_more() -> None:
    once = REDACTOR(" ".join(TOKENS.values()) + " correct horse")
    assert REDACTOR(once) == once


@given(st.integers(0, 30_000), st.sampled_from([*TOKENS.values(), "correct horse"]), st.integers(1, 9_000))
@settings(max_examples=60, deadline=None)
def test_no_secret_slips_through_where_two_pieces_meet(before: int, secret: str, size: int) -> None:
    text = "lorem " * (before // 6) + secret + " ipsum" * 3_000
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    assert "".join(REDACTOR.stream(pieces)) == REDACTOR(text)


def test_a_file_is_redacted_in_place_and_other_bytes_stay(tmp_path: Path) -> None:
    path = tmp_path / "output"
    data = b"\xff\x00" + "päss/wörd+1 ".encode() + b"x" * 3_000_000 + b"=" + TOKENS["AWS key"].encode() + b"\xfe"
    path.write_bytes(data)
    assert REDACTOR.file(path)
    expected = data.replace("päss/wörd+1".encode(), b"[redacted: value of DB_PASSWORD]")
    assert path.read_bytes() == expected.replace(TOKENS["AWS key"].encode(), b"[redacted: AWS key]")
    inode = path.stat().st_ino
    assert not REDACTOR.file(path) and path.stat().st_ino == inode
    assert [file.name for file in tmp_path.iterdir()] == ["output"]
