"""What keeps the slots, put together. Imported by every command, so it imports nothing before it is asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..settings import Settings
from .addresses import address
from .cluster import on_cluster
from .databases import Databases

if TYPE_CHECKING:
    from ...adapters.postgres.slots import PostgresSlots
    from ...application.authoring.registry import Registry
    from ...application.fire_slots import FireSlots, StartSlot
    from ...application.keep_doing import KeepDoing
    from ...application.metrics import Registry as Figures
    from .container import Container

SlotPass = Callable[[], Awaitable[Sequence[str]]]
"""One pass over the slots; sentences about what could not be done."""

_FIRE_EVERY = 1.0


def slots(settings: Settings, databases: Databases, closing: list[Any]) -> PostgresSlots:
    """The ledger, over one connection of its own."""
    from ...adapters.postgres.slots import PostgresSlots

    where, connect_timeout = address(databases.runlog, settings)
    ledger = PostgresSlots(where, connect_timeout=connect_timeout)
    closing.append(ledger.close)
    return ledger


def slot_pass(container: Container, pipelines: Registry, *, fires: bool, figures: Figures | None = None) -> SlotPass:
    """The watcher of one process, with what it starts itself: what a pipeline catches up, and a cluster's gaps.

    ``fires``: this process starts slots where there is no cluster. ``figures``: where verdicts are counted.
    """
    from ...application.catch_up_slots import CatchUpSlots
    from ...application.watch_slots import WatchSlots

    settings: Settings = container.settings()
    cluster = on_cluster(settings)
    watch = WatchSlots(
        slots=container.slots(),
        clock=container.clock(),
        tenant=settings.tenant,
        declared=pipelines.pipelines,
        schedules=container.schedules() if cluster else None,
        fires=fires,
    )
    start, fire = _starting(container, pipelines)
    catch_up = CatchUpSlots(slots=container.slots(), start=start, pauses=container.pauses(), tenant=settings.tenant)
    words = "Verdicts that this process has given slots; one that changes counts again."
    verdicts = None if figures is None else figures.counter("kubescribe_slots_total", words, ("verdict",))

    async def once() -> Sequence[str]:
        passed = await watch()
        if verdicts is not None:
            for slot in passed.decided:
                if slot.verdict is not None:
                    verdicts.add(verdict=slot.verdict)
        if cluster:
            held = {key for key, one in passed.schedules.items() if one.seen is not None and one.seen.suspended}
            await fire(gaps=True, passed_over=lambda slot: (slot.tenant, slot.pipeline) in held)
        return (*passed.problems, *(await catch_up(passed) if cluster or fires else ()))

    return once


def slot_firing(container: Container, pipelines: Registry, figures: Figures) -> KeepDoing:
    """The scheduler where there is no cluster: a look a second at what is due."""
    from ...application.keep_doing import KeepDoing

    _, fire = _starting(container, pipelines)
    return KeepDoing("fire", fire, every=_FIRE_EVERY, clock=container.clock(), registry=figures)


def _starting(container: Container, pipelines: Registry) -> tuple[StartSlot, FireSlots]:
    from ...application.fire_slots import FireSlots, StartSlot

    start = StartSlot(trigger=container.trigger_run(), declared=pipelines.get)
    return start, FireSlots(slots=container.slots(), start=start, tenant=container.settings().tenant)
