"""Pipelines as they are declared."""

from __future__ import annotations

from litestar import Controller, get

from ....domain.access import Scope
from ..documented import problems
from ..guard import needs
from ..views.page import Page
from ..views.pipeline import PipelineView
from .parameters import Name, Use


class Pipelines(Controller):
    """What can be run."""

    path = "/pipelines"
    tags = ("pipelines",)

    @get(opt=needs(Scope.PIPELINES_READ), summary="All pipelines, by name", responses=problems())
    async def list(self, services: Use) -> Page[PipelineView]:
        """What is declared."""
        return Page(items=tuple(map(PipelineView.of, services.pipelines.pipelines())), next=None)

    @get("/{name:str}", opt=needs(Scope.PIPELINES_READ), summary="One pipeline", responses=problems(404))
    async def show(self, services: Use, name: Name) -> PipelineView:
        """Its declaration."""
        return PipelineView.of(services.pipelines.get(name).pipeline)
