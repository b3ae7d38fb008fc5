"""What a mail is made of: hostile text changes no header and no recipient (FAULTS S-31, N9)."""

from __future__ import annotations

import random
from email import message_from_bytes
from email.header import decode_header, make_header
from email.policy import compat32, default
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubescribe.adapters.smtp.message import mail, subject
from kubescribe.domain.announcement import one_line, printable
from tests.support.announcements import an_announcement

HEADERS = [
    "subject",
    "from",
    "to",
    "message-id",
    "auto-submitted",
    "x-kubescribe-kind",
    "mime-version",
    "content-type",
]


def made(**changes: Any) -> bytes:
    return mail(
        an_announcement(**changes), sender="ks@example.org", recipient="ann@example.org", message_id="1.2"
    ).as_bytes()


def test_a_mail_has_a_text_and_a_html_part_of_the_same() -> None:
    message = message_from_bytes(made(), policy=default)
    assert [name.lower() for name in message] == HEADERS
    assert message["Subject"] == "[KubeScribe] sales failed: exit_code"
    assert message["To"] == "ann@example.org" and message["From"] == "KubeScribe <ks@example.org>"
    assert message["Message-ID"] == "<1.2@example.org>" and message["Auto-Submitted"] == "auto-generated"
    text, html = [part.get_content() for part in message.iter_parts()]
    for said in ("A run of pipeline sales failed.", "it broke", "two", "kubescribe show 7", "the whole record"):
        assert said in text and said in html
    assert "https://ks.example.org/runs/7" in text and 'href="https://ks.example.org/runs/7"' in html
    assert "cause:    exit_code" in text


def test_what_is_not_there_leaves_no_gap() -> None:
    message = message_from_bytes(made(facts=(), text=None, lines=(), next_steps=(), link=None), policy=default)
    text, html = [part.get_content() for part in message.iter_parts()]
    assert text.replace("\r", "") == "sales failed: exit_code\n\nA run of pipeline sales failed.\n\n-- \nKubeScribe\n"
    assert "<table>" not in html and "<pre>" not in html and "<a " not in html


HOSTILE = (
    "=?utf-8?q?a=0ABcc:_x=40evil?=",
    "=?utf-8?b?YQpCY2M6IHhAZXZpbA==?=",
    "x\r\nBcc: evil@example.org\r\n\r\nbody",
    "x\nTo: evil@example.org",
    "x\u2028Bcc: evil@example.org",
    "x\x0bBcc: evil\x85Cc: evil",
    "=?utf-8?q?=3D=3Futf-8=3Fq=3Fa=0ABcc:x=3F=3D?=",
    "\r\n.\r\nMAIL FROM:<evil@example.org>",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    '"><a href="javascript:alert(1)">',
    "$title ${link} $$ $missing",
    "\u202egnp.exe",
    "\ud800",
    "é" * 300,
    "ü=?x?=" * 50,
)


def checked(raw: bytes) -> None:
    for policy in (default, compat32):
        message = message_from_bytes(raw, policy=policy)
        assert [name.lower() for name in message] == HEADERS
        assert message["To"] == "ann@example.org"
        assert not message.defects
    head = raw.split(b"\r\n\r\n", 1)[0]
    assert all(line[:1] in b" \t" or line.split(b":")[0].lower().decode() in HEADERS for line in head.split(b"\r\n"))
    # As any reader decodes it, in any number of turns, the subject stays one line.
    said = str(message_from_bytes(raw, policy=compat32)["Subject"])
    for _ in range(3):
        said = str(make_header(decode_header(said.replace("\r\n ", " "))))
        assert printable(said, 400) == said and "\n" not in said and len(said) <= 260, said
    _, html = [part.get_content() for part in message_from_bytes(raw, policy=default).iter_parts()]
    for tag in ("<script", "<img", 'href="javascript'):
        assert tag not in html.lower()


@pytest.mark.parametrize("evil", HOSTILE)
def test_hostile_text_stays_text(evil: str) -> None:
    from kubescribe.domain.announcement import printable

    shown = printable(evil)
    checked(made(title=one_line(evil, 150), summary=shown, text=shown, lines=(shown,), facts=((shown, shown),)))


def test_ten_thousand_hostile_subjects() -> None:
    """As they are, with nothing in front of the mail that might have made them harmless."""

    dice = random.Random(31)
    pieces = [*HOSTILE, "=?", "?=", "=?utf-8?q?", "=0A", "=0D=0A", "\n", "\r", "Bcc:", *" \t\0aü,<@"]
    for _ in range(10_000):
        title = "".join(dice.choices(pieces, k=dice.randint(1, 6)))
        raw = subject(an_announcement(title=title))
        assert raw.isprintable() and "=?" not in raw and len(raw) <= 250, raw
    for _ in range(100):
        title = "".join(dice.choices(pieces, k=dice.randint(1, 6)))
        checked(made(title=one_line(title, 150)))


@given(st.text(max_size=400))
def test_any_title(title: str) -> None:
    checked(made(title=title))


@pytest.mark.parametrize(
    "address", ["ok@x.org, evil@y.org", "a@b\r\nBcc: c@d", "a", "", "a@b c", "<a@b>", "=?utf-8?q?a?=@b"]
)
def test_an_address_is_one_address(address: str) -> None:
    announcement = an_announcement()
    for sender, recipient in ((address, "ann@example.org"), ("ks@example.org", address)):
        with pytest.raises(ValueError):
            mail(announcement, sender=sender, recipient=recipient, message_id="1")


def test_a_long_text_is_sent_in_short_lines() -> None:
    raw = made(text="x" * 5000 + "\n.\nfrom here\n", lines=("y" * 3000,))
    assert max(map(len, raw.split(b"\r\n"))) <= 998
