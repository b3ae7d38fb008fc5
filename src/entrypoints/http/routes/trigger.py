"""Triggering a run."""

from __future__ import annotations

from typing import Annotated

from litestar import Response, post
from litestar.openapi import ResponseSpec
from litestar.params import HeaderParameter, JSONBody

from ....application.authoring.parameters import accepted_parameters
from ....application.trigger_run import TriggerRequest
from ....domain.access import Scope
from ....domain.run import Trigger
from ..documented import BODY, problems
from ..guard import needs
from ..telling import asked_by, tell
from ..views.run import RunView
from ..views.trigger import TriggerView
from .parameters import Asking, Use

Key = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        description="Makes it safe to repeat: the same key and body is the same run, for a week.",
        max_length=255,
    ),
]


@post(
    "/runs/trigger",
    opt=needs(Scope.RUNS_TRIGGER),
    tags=["runs"],
    summary="Trigger a run",
    status_code=202,
    responses=problems(404, 409, 422, *BODY)
    | {200: ResponseSpec(RunView, description="The run of an earlier request of this key", generate_examples=False)},
)
async def trigger(request: Asking, services: Use, data: JSONBody[TriggerView], key: Key = None) -> Response[RunView]:
    """Accept a run: from the answer on it is on record, and comes to an end whatever dies next."""
    declared = services.declared(request.user.tenant).get(data.pipeline)
    services.refuse_secrets(data.pipeline, data.parameters)  # before an error quotes it
    accepted = await services.trigger_run(
        TriggerRequest(
            tenant=request.user.tenant,
            pipeline=declared.pipeline,
            parameters=accepted_parameters(declared, data.parameters, from_text=False),
            actor=request.user.actor,
            trigger=Trigger.API,
            reason=data.reason,
            mode=data.mode,
            key=key,
            method=asked_by(request),
        )
    )
    tell(request, accepted.run.id)
    services.look_after(accepted.run)
    location = {"Location": f"/runs/{accepted.run.id}"}
    return Response(RunView.of(accepted.run), status_code=202 if accepted.new else 200, headers=location)
