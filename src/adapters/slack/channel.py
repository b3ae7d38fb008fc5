"""Messages to Slack channels, through the incoming webhook of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ...application.ports.http_client import HttpClient
from ...domain.announcement import Announcement, one_line
from ...domain.errors import NotDelivered, PostFailed
from ...domain.webhook_url import WebhookUrl

_SECTION = 2_900
"""Characters of a section; Slack takes 3,000, after escaping."""
_ENTRY_BLOCKS = 40
"""Of the 50 blocks that Slack takes."""
_AGAIN = (408, 425, 429)


class SlackChannel:
    """:class:`~kubescribe.application.ports.channel.Channel` over incoming webhooks.

    A webhook cannot tell duplicates, so the message shows its id. No text can mention anybody: what Slack gives a
    meaning to is escaped.
    """

    name = "slack"
    alone = False

    def __init__(self, client: HttpClient, urls: Mapping[str, WebhookUrl]) -> None:
        """``urls``: the webhook of each address."""
        self._client = client
        self._urls = urls

    @property
    def addresses(self) -> tuple[str, ...]:
        """See the port: the names that the settings give the webhooks, each of which stands for its one channel."""
        return tuple(self._urls)

    async def send(self, announcement: Announcement, address: str, message_id: str) -> None:
        """See the port."""
        url = self._urls[address]
        try:
            answer = await self._client.post(url, msgspec.json.encode(payload(announcement, message_id)))
        except PostFailed as failed:
            raise NotDelivered(str(failed), channel_down=True) from failed
        if 200 <= answer.status < 300:
            return
        why = f"{url.shown} answered {answer.status} {one_line(answer.text, 100)}".strip()
        again = answer.status in _AGAIN or answer.status >= 500
        raise NotDelivered(why, permanent=not again, retry_after=answer.retry_after, channel_down=again)


def payload(announcement: Announcement, message_id: str) -> dict[str, Any]:
    """The message as Slack's blocks; ``text`` is what notifications show."""
    title = escaped(announcement.title)
    blocks: list[dict[str, Any]] = [_section(f"*{title}*\n{escaped(announcement.summary)}")]
    if announcement.facts:
        blocks.append(_section("\n".join(f"*{escaped(name)}:* {escaped(value)}" for name, value in announcement.facts)))
    if announcement.text:
        blocks.append(_section(_quoted(announcement.text)))
    if announcement.lines:
        blocks.append(_section("Its last lines:\n" + _quoted("\n".join(announcement.lines))))
    blocks += _entries(announcement)
    steps = "\n".join(f"`{escaped(command)}` {escaped(what)}" for command, what in announcement.next_steps)
    if announcement.link:
        steps += f"\n<{escaped(announcement.link)}|Open the run>"
    if steps.strip():
        blocks.append(_section(f"Next:\n{steps}"))
    blocks.append({"type": "context", "elements": [{"type": "plain_text", "text": f"KubeScribe {message_id}"}]})
    return {"text": title, "blocks": blocks, "unfurl_links": False, "unfurl_media": False}


def _entries(announcement: Announcement) -> list[dict[str, Any]]:
    """A line for each pipeline, as many as there is room for; the rest is counted."""
    sections, left = [""], len(announcement.entries) + announcement.more
    for entry in announcement.entries:
        name = escaped(entry.name)
        shown = f"<{escaped(entry.link)}|{name}>" if entry.link else name
        line = f"*{shown}* {escaped(entry.text)}"[:_SECTION]
        if len(sections[-1]) + len(line) + 1 > _SECTION:
            if len(sections) == _ENTRY_BLOCKS:
                break
            sections.append("")
        sections[-1] += f"\n{line}" if sections[-1] else line
        left -= 1
    if left:
        sections.append(f"… and {left:,} more")
    return [_section(section) for section in sections if section]


def escaped(text: str) -> str:
    """Without a meaning for Slack: no mention, no link, no formatting character that would open one."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _quoted(text: str) -> str:
    # Three backticks inside would end the quotation. Escaping makes a text longer, up to five times.
    text = text.replace("```", "'''")
    while len(escaped(text)) > _SECTION - 100:
        half = min(len(text), _SECTION) * 2 // 5
        text = f"{text[:half]}\n… left out …\n{text[-half:]}"
    return f"```{escaped(text)}```"


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:3_000], "verbatim": True}}
