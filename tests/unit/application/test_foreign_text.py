"""Secrets of programs that are only observed, by their looks."""

from __future__ import annotations

import pytest

from kubescribe.application.foreign_text import ForeignText
from kubescribe.application.redaction import MASK

HIDE = ForeignText(["s3cret-of-ours"])
SECRET = "hunter2hunter2"


@pytest.mark.parametrize(
    "line",
    [
        f"connecting to postgresql://etl:{SECRET}@db.example.org:5432/sales",
        f"postgres://etl:a/b@{SECRET}@db/sales",
        f"redis://:{SECRET}@cache",
        f"Authorization: Bearer {SECRET}",
        f"> authorization: basic {SECRET}==",
        f"PGPASSWORD={SECRET} psql",
        f"password: {SECRET}",
        f'{{"db_password": "{SECRET}", "n": 1}}',
        f"{{'api_key': '{SECRET} {SECRET}'}}",
        f"https://example.org/?access_token={SECRET}&page=2",
        f"AWS_SECRET_ACCESS_KEY={SECRET}",
        f"token eyJhbGciOiJIUzI1NiJ9.{SECRET}.{SECRET}",
        f"ghp_{SECRET}{SECRET}",
        f"xoxb-{SECRET}-{SECRET}",
        "it is s3cret-of-ours",
        "it is s3cret%2Dof%2Dours, s3cret-of-ours",
    ],
)
def test_what_looks_like_a_secret_is_hidden(line: str) -> None:
    hidden = HIDE.text(line)
    assert MASK in hidden and SECRET not in hidden and "s3cret-of-ours" not in hidden, hidden


@pytest.mark.parametrize(
    "line",
    [
        "read 15 rows from https://example.org:8443/sales",
        "passed: 12 of 12 checks",
        "the tokenizer took 3 s",
        "user etl@db.example.org logged in",
        "basic run: 3 rows",
        "2026-11-22T05:15:00Z INFO done",
        "",
    ],
)
def test_other_lines_stay_as_they_are(line: str) -> None:
    assert HIDE.text(line) == line


def test_a_private_key_is_hidden_with_all_its_lines() -> None:
    key = ("-----BEGIN RSA PRIVATE KEY-----", "MIIEow", "IBAAKC", "-----END RSA PRIVATE KEY-----")
    assert HIDE.lines(("before", *key, "after")) == ("before", *[MASK] * 4, "after")


def test_what_is_around_it_is_still_said() -> None:
    assert HIDE.text("FATAL: cannot reach postgresql://etl:x1@db/sales") == (
        f"FATAL: cannot reach postgresql://etl:{MASK}@db/sales"
    )
