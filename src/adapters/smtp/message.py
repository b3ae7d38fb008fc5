"""An announcement as a mail: three template files, and headers that no text gets into unlooked-at."""

from __future__ import annotations

from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP
from functools import cache
from html import escape
from importlib.resources import files
from string import Template

from ...domain.announcement import Announcement, Entry, one_line
from ...domain.mail_address import may_be_an_address

_SUBJECT_LIMIT = 200


def mail(announcement: Announcement, *, sender: str, recipient: str, message_id: str) -> EmailMessage:
    """The mail to one recipient. Raises :class:`ValueError` where an address is none."""
    for address in (sender, recipient):
        if not may_be_an_address(address):
            raise ValueError("no address")
    message = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    message["Subject"] = subject(announcement)
    message["From"] = f"KubeScribe <{sender}>"
    message["To"] = recipient
    message["Message-ID"] = f"<{message_id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-KubeScribe-Kind"] = announcement.kind
    message.set_content(_filled("text.txt", _parts(announcement)), cte="quoted-printable")
    message.add_alternative(_filled("message.html", _html_parts(announcement)), subtype="html", cte="quoted-printable")
    for one in announcement.attachments:
        message.add_attachment(one.data, maintype="text", subtype="csv", filename=one.name, params={"charset": "utf-8"})
    return message


def subject(announcement: Announcement) -> str:
    """One line of printable characters, in which nothing is an encoded word.

    Some Pythons below 3.13 decode ``=?utf-8?q?…=0ABcc:…?=`` in a text and write it out as a header line of its own.
    """
    return one_line(_template("subject.txt").substitute(title=announcement.title), _SUBJECT_LIMIT).replace("=?", "= ?")


def _parts(announcement: Announcement) -> dict[str, str]:
    facts = announcement.facts
    width = max((len(name) for name, _ in facts), default=0)
    steps = announcement.next_steps
    blocks = {
        "facts": "\n".join(f"{name + ':':<{width + 1}} {value}" for name, value in facts),
        "text": announcement.text or "",
        "lines": _listed("Its last lines:", announcement.lines),
        "entries": "\n".join([*(f"{entry.name} {entry.text}" for entry in announcement.entries), *_more(announcement)]),
        "steps": _listed("Next:", [f"{command}   ({what})" for command, what in steps]),
        "link": announcement.link or "",
    }
    return {"title": announcement.title, "summary": announcement.summary} | {
        name: f"\n{block}\n" if block else "" for name, block in blocks.items()
    }


def _more(announcement: Announcement) -> list[str]:
    return [f"… and {announcement.more:,} more"] if announcement.more else []


def _listed(head: str, lines: Sequence[str]) -> str:
    return "\n".join([head, *(f"  {line}" for line in lines)]) if lines else ""


def _html_parts(announcement: Announcement) -> dict[str, str]:
    facts = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in announcement.facts)
    steps = "".join(
        f"<li><code>{escape(command)}</code> {escape(what)}</li>" for command, what in announcement.next_steps
    )
    lines = escape("\n".join(announcement.lines))
    link = announcement.link
    entries = [f"<li>{_linked(one)} {escape(one.text)}</li>" for one in announcement.entries] + [
        f"<li>{more}</li>" for more in _more(announcement)
    ]
    return {
        "title": escape(announcement.title),
        "summary": escape(announcement.summary),
        "facts": f"<table>{facts}</table>" if facts else "",
        "text": f"<pre>{escape(announcement.text)}</pre>" if announcement.text else "",
        "lines": f"<p>Its last lines:</p><pre>{lines}</pre>" if lines else "",
        "entries": "<ul>" + "".join(entries) + "</ul>" if entries else "",
        "steps": f"<p>Next:</p><ul>{steps}</ul>" if steps else "",
        "link": f'<p><a href="{escape(link)}">Open the run</a></p>' if link else "",
    }


def _linked(entry: Entry) -> str:
    name = escape(entry.name)
    return f'<a href="{escape(entry.link)}">{name}</a>' if entry.link else name


def _filled(name: str, parts: dict[str, str]) -> str:
    return _template(name).substitute(parts)


@cache
def _template(name: str) -> Template:
    return Template((files(__package__ or "") / "templates" / name).read_text(encoding="utf-8").rstrip("\n"))
