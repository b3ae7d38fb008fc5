"""Rows of a report: pages for people and programs, and whole downloads."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated
from uuid import UUID

from litestar import Response, get
from litestar.openapi import ResponseSpec
from litestar.params import HeaderParameter, QueryParameter
from litestar.response import Stream

from ....application.ports.report_reader import ReportReader, ReportVersion
from ....application.ports.row_encoder import RowEncoder
from ....application.report_download import content_disposition, etag, matches
from ....domain.access import Scope
from ....domain.report_query import RowQuery, chosen_columns
from ....domain.row_format import RowFormat
from ...conditions import condition, names, order
from ..accept import chosen
from ..documented import problems
from ..guard import needs
from ..services import Services
from ..views.report import RowsView
from .parameters import Asking, Limit, Name, Use

FORMATS = {
    "application/json": None,
    "text/csv": RowFormat.CSV,
    "application/vnd.apache.parquet": RowFormat.PARQUET,
    "application/vnd.apache.arrow.stream": RowFormat.ARROW,
}
"""By media type; JSON comes in pages."""

Where = Annotated[
    list[str] | None,
    QueryParameter(
        description="`day>=2026-03-01`, `name~pole`, `code in A,B`, `gate is null`; repeatable.", max_items=32
    ),
]
Text = Annotated[str | None, QueryParameter(max_length=2000)]
Version = Annotated[int | None, QueryParameter(description="As after this publication.", ge=1, le=2**63 - 1)]


@get(
    "/reports/{name:str}/rows",
    opt=needs(Scope.REPORTS_READ),
    tags=["reports"],
    summary="Rows, as they are or were",
    responses=problems(404, 406, 409, 410, 422)
    | {
        200: ResponseSpec(RowsView, description="A page, or all rows in another format", generate_examples=False),
        304: ResponseSpec(None, description="The client has this answer already"),
    },
)
async def report_rows(
    request: Asking,
    services: Use,
    name: Name,
    where: Where = None,
    sort: Annotated[Text, QueryParameter(description="`-amount,customer`.")] = None,
    columns: Annotated[Text, QueryParameter(description="`customer,amount`.")] = None,
    version: Version = None,
    as_of_run: Annotated[UUID | None, QueryParameter(description="As this run left it.")] = None,
    formula_safe: Annotated[bool, QueryParameter(description="CSV that no spreadsheet takes for formulas.")] = True,
    limit: Limit = 50,
    cursor: Annotated[str | None, QueryParameter(description="`next` of the page before.", max_length=8000)] = None,
    if_none_match: Annotated[str | None, HeaderParameter(name="If-None-Match", max_length=4000)] = None,
) -> Response[RowsView | None] | Stream:
    """JSON in pages; CSV, Parquet and Arrow (by `Accept`) as a whole. The pages of one question are of one version."""
    kind = FORMATS[chosen(request.headers.get("accept"), tuple(FORMATS))]
    reader = services.reader_of(name, request.user.tenant)
    query = RowQuery(
        report=name,
        columns=names(columns),
        filters=tuple(map(condition, where or ())),
        sort=order(sort),
        version=version,
        as_of_run=as_of_run,
    )
    source = await reader.source(query)
    encoder = None if kind is None else services.encoder(kind, formula_safe)
    parts = ("page", limit, cursor) if encoder is None else (encoder.variant,)
    tag = etag(source, chosen_columns(query, source.columns), query, *parts)
    if matches(if_none_match, tag):
        return Response(None, status_code=304, headers={"ETag": tag, "Cache-Control": "private, no-cache"})
    if encoder is not None:
        return await _download(services, reader, query, encoder, source, tag)
    page = await reader.page(query, limit=limit, after=cursor)
    seen = etag(page.source, page.columns, query, *parts)  # what was published meanwhile has a tag of its own
    view = RowsView.of(page, services.as_objects(page.columns, page.rows))
    return Response(view, headers={"ETag": seen, "Cache-Control": "private, no-cache"})


async def _download(
    services: Services, reader: ReportReader, query: RowQuery, encoder: RowEncoder, source: ReportVersion, tag: str
) -> Stream:
    headers = {
        "Content-Disposition": content_disposition(query.report, source.version, encoder.extension),
        "Cache-Control": "private, no-cache",
    }
    if source.fixed:
        headers["ETag"] = tag
    pieces = _pieces(services, reader, query, encoder)
    first = await anext(pieces, b"")  # what is refused, is refused before an answer begins
    return Stream(_rest(first, pieces), media_type=encoder.media_type, headers=headers)


async def _pieces(
    services: Services, reader: ReportReader, query: RowQuery, encoder: RowEncoder
) -> AsyncIterator[bytes]:
    async with reader.stream(query, limit=services.download_rows) as rows:
        async for piece in encoder.encode(rows.columns, rows.batches):
            yield piece


async def _rest(first: bytes, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async with aclosing(pieces) as rest:  # type: ignore[type-var]
        yield first
        async for piece in rest:
            yield piece
