"""Reports: what readers see, who published it, and going back."""

from __future__ import annotations

from litestar import Controller, get, post
from litestar.params import JSONBody

from ....domain.access import Scope
from ..documented import BODY, problems
from ..guard import needs
from ..telling import asked_by, tell
from ..views.page import Page
from ..views.report import ReportView, RollbackRequest, RolledBackView
from .parameters import Asking, Name, Use


class Reports(Controller):
    """What is published."""

    path = "/reports"
    tags = ("reports",)

    @get(opt=needs(Scope.REPORTS_READ), summary="All reports, by name", responses=problems(404))
    async def list(self, request: Asking, services: Use) -> Page[ReportView]:
        """Everything that was ever published."""
        if not services.serves(request.user.tenant):
            return Page(items=(), next=None)
        return Page(items=tuple(map(ReportView.of, await services.reader().summaries())), next=None)

    @get("/{name:str}", opt=needs(Scope.REPORTS_READ), summary="One report", responses=problems(404))
    async def show(self, request: Asking, services: Use, name: Name) -> ReportView:
        """Its columns, versions, freshness, and the run that made what is shown."""
        return ReportView.of(await services.reader_of(name, request.user.tenant).summary(name))

    @post(
        "/{name:str}/rollback",
        opt=needs(Scope.REPORTS_ROLLBACK),
        summary="Show an earlier version again",
        status_code=200,
        responses=problems(404, 409, *BODY),
    )
    async def rollback(
        self, request: Asking, services: Use, name: Name, data: JSONBody[RollbackRequest | None] = None
    ) -> RolledBackView:
        """Readers see it at once; the ledger and the audit say who and why."""
        asking, wanted = request.user, data or RollbackRequest()
        services.reader_of(name, asking.tenant)
        done = await services.roll_back_report()(
            name,
            to=wanted.to,
            actor=asking.actor,
            reason=wanted.reason,
            tenant=asking.tenant,
            method=asked_by(request),
        )
        tell(request)
        return RolledBackView.of(done)
