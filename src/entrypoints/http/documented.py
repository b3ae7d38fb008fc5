"""The responses that routes have in common, for the OpenAPI document."""

from __future__ import annotations

from litestar.openapi import ResponseSpec

from .views.problem import MEDIA_TYPE, ProblemView

_TITLES = {
    400: "The request cannot be read",
    401: "Credentials are needed",
    403: "These credentials may not do this",
    404: "There is no such thing",
    405: "Nothing here answers to this method",
    406: "None of the accepted formats is available",
    408: "The request did not arrive in time",
    409: "The state of things does not allow it",
    410: "What was asked for is not kept any more",
    413: "The body is too large",
    414: "The address is too long",
    415: "The body has to be JSON",
    421: "This server does not answer to that host name",
    422: "What was asked for does not fit",
    429: "Too many requests",
    431: "The headers are too large",
    500: "Something went wrong here",
    503: "Something is away: ask again after `Retry-After` seconds",
}
ALWAYS = (400, 401, 403, 405, 414, 421, 429, 431, 500, 503)
BODY = (408, 413, 415)


def problems(*statuses: int) -> dict[int, ResponseSpec]:
    """What may be answered instead: what every route may, and these."""
    return {
        status: ResponseSpec(
            data_container=ProblemView, description=_TITLES[status], media_type=MEDIA_TYPE, generate_examples=False
        )
        for status in sorted({*ALWAYS, *statuses})
    }
