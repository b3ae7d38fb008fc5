"""Messages through apprise, to the hundred services that it knows."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from typing import Any

from ...application.off_loop import off_loop
from ...domain.announcement import Announcement
from ...domain.errors import NotDelivered

_DEADLINE = 55.0
"""Seconds for all of a message."""
_BODY = 30_000
"""Characters; apprise cuts a text to what each service takes."""


class AppriseChannel:
    """:class:`~kubescribe.application.ports.channel.Channel` over the extra ``kubescribe[apprise]``.

    apprise says that a message was not taken, and rarely why: its own log has more. No text can mention anybody.
    """

    name = "apprise"
    alone = False

    def __init__(self, urls: Mapping[str, str]) -> None:
        """``urls``: apprise's address for each name; secrets. Raises :class:`ValueError` where apprise refuses one."""
        import apprise

        # It names the address it failed at in full.
        logging.getLogger("apprise").setLevel(logging.CRITICAL)
        asset = apprise.AppriseAsset(app_id="KubeScribe", app_desc="KubeScribe", secure_logging=True, async_mode=False)
        self._targets: dict[str, Any] = {}
        with warnings.catch_warnings():
            # Its plugins are loaded now, and some import what Python has deprecated.
            warnings.simplefilter("ignore", DeprecationWarning)
            for name, url in urls.items():
                target = apprise.Apprise(asset=asset)
                if not target.add(url):
                    raise ValueError(name)
                self._targets[name] = target
        self._text = apprise.NotifyFormat.TEXT

    @property
    def addresses(self) -> tuple[str, ...]:
        """See the port: the names that the settings give the addresses."""
        return tuple(self._targets)

    async def send(self, announcement: Announcement, address: str, message_id: str) -> None:
        """See the port."""
        target = self._targets[address]
        title, body = harmless(announcement.title), harmless(text(announcement, message_id))
        try:
            taken = await off_loop(
                lambda: target.notify(title=title, body=body, body_format=self._text, interpret_escapes=False),
                seconds=_DEADLINE,
            )
        except TimeoutError:
            raise NotDelivered(f"{address} did not answer within {_DEADLINE:g} s") from None
        except Exception as error:
            # Its text may hold the address.
            raise NotDelivered(f"apprise failed at {address}: {type(error).__name__}") from None
        if not taken:
            raise NotDelivered(f"{address} did not take it, says apprise")


def text(announcement: Announcement, message_id: str) -> str:
    """The message as plain lines."""
    one = announcement
    parts = [
        one.summary,
        "\n".join(f"{name}: {value}" for name, value in one.facts),
        one.text or "",
        "\n".join(one.lines),
        "\n".join(f"{entry.name} {entry.text}" for entry in one.entries)
        + (f"\nand {one.more:,} more" * bool(one.more)),
        "\n".join(f"{command}   ({what})" for command, what in one.next_steps),
    ]
    whole = "\n\n".join(part for part in parts if part)[:_BODY]
    # At the end, and so never cut off: by the id people see that two are the same.
    return "\n\n".join(part for part in (whole, one.link or "", f"KubeScribe {message_id}") if part)


def harmless(text: str) -> str:
    """Without what one of the services may take for a mention, a link or markup of its own."""
    return text.replace("<", "‹").replace(">", "›").replace("@", "@\u2060")
