"""The chain of events, and where its anchors go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...application.audit_events import SealEvents, SendAnchors, VerifyEvents
from ...domain.webhook_url import WebhookUrl
from .container import Container

if TYPE_CHECKING:
    from ...application.ports.anchor_target import AnchorTarget


def seal_events(container: Container) -> SealEvents:
    """The sealer."""
    return SealEvents(container.event_chain())


def verify_events(container: Container) -> VerifyEvents:
    """The check."""
    return VerifyEvents(container.event_chain())


def send_anchors(container: Container) -> SendAnchors | None:
    """What sends anchors daily; None where ``KUBESCRIBE_AUDIT_ANCHOR`` names no place."""
    where = container.settings().audit_anchor
    if where is None:
        return None
    target: AnchorTarget
    if isinstance(where, WebhookUrl):
        from ...adapters.http.client import StandardHttpClient
        from ...adapters.webhook.anchor_target import WebhookAnchors

        target = WebhookAnchors(StandardHttpClient(), where)
    else:
        from ...adapters.local.anchor_file import AnchorFile

        target = AnchorFile(where)
    return SendAnchors(container.event_chain(), target)
