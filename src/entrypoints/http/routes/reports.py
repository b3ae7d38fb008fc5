"""Reports: what readers see, and who published it."""

from __future__ import annotations

from litestar import Controller, get

from ....domain.access import Scope
from ..documented import problems
from ..guard import needs
from ..views.page import Page
from ..views.report import ReportView
from .parameters import Name, Use


class Reports(Controller):
    """What is published."""

    path = "/reports"
    tags = ("reports",)

    @get(opt=needs(Scope.REPORTS_READ), summary="All reports, by name", responses=problems(404))
    async def list(self, services: Use) -> Page[ReportView]:
        """Everything that was ever published."""
        return Page(items=tuple(map(ReportView.of, await services.catalogue().reports())), next=None)

    @get("/{name:str}", opt=needs(Scope.REPORTS_READ), summary="One report", responses=problems(404))
    async def show(self, services: Use, name: Name) -> ReportView:
        """Its columns, versions, and current publication."""
        return ReportView.of(await services.catalogue().get(name))
