"""Cancelling a run, and running it again."""

from __future__ import annotations

from litestar import Response, post
from litestar.openapi import ResponseSpec
from litestar.params import JSONBody

from ....domain.access import Scope
from ..documented import BODY, problems
from ..guard import needs
from ..telling import asked_by, tell
from ..views.act import ReasonView, RetriedView
from ..views.run import RunView
from .parameters import Asking, RunId, Use
from .trigger import Key


@post(
    "/runs/{run_id:uuid}/cancel",
    opt=needs(Scope.RUNS_CANCEL),
    tags=["runs"],
    summary="Cancel a run",
    status_code=202,
    responses=problems(404, 409, *BODY),
)
async def cancel(request: Asking, services: Use, run_id: RunId, data: JSONBody[ReasonView | None] = None) -> RunView:
    """CANCELLING now; CANCELLED once its processes and database sessions were seen gone."""
    asking = request.user
    run = await services.cancel_run(
        run_id,
        actor=asking.actor,
        reason=data.reason if data else None,
        tenant=asking.tenant,
        method=asked_by(request),
    )
    tell(request)
    services.nudge()
    return RunView.of(run)


@post(
    "/runs/{run_id:uuid}/retry",
    opt=needs(Scope.RUNS_RETRY),
    tags=["runs"],
    summary="Run again what did not succeed",
    status_code=202,
    responses=problems(404, 409, 422, *BODY)
    | {200: ResponseSpec(RetriedView, description="An earlier request's run", generate_examples=False)},
)
async def retry(
    request: Asking, services: Use, run_id: RunId, data: JSONBody[ReasonView | None] = None, key: Key = None
) -> Response[RetriedView]:
    """A new run with the same parameters, mode and slot."""
    asking = request.user
    retried = await services.retry_run(
        run_id,
        services.declared(request.user.tenant).get,
        actor=asking.actor,
        reason=data.reason if data else None,
        key=key,
        tenant=asking.tenant,
        method=asked_by(request),
    )
    tell(request, retried.run.id)
    services.look_after(retried.run)
    view = RetriedView(
        run=RunView.of(retried.run), code_then=retried.code_then, code_now=retried.code_now, note=retried.note
    )
    location = {"Location": f"/runs/{retried.run.id}"}
    return Response(view, status_code=202 if retried.new else 200, headers=location)
