"""Start the slots that nobody else starts: all of them where there is no cluster, and on one those of its gaps."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..domain.actor import SCHEDULE
from ..domain.errors import KubescribeError, PipelineNotFound, TemporaryError
from ..domain.run import Run, Trigger
from ..domain.slot import DETAIL_LIMIT, Slot, SlotReason, SlotState, SlotVerdict
from ..domain.storable import storable_text
from ..domain.tenant import Tenant
from .authoring.parameters import Declaring, accepted_parameters
from .failpoints import failpoint
from .ports.slots import Decision, Slots
from .trigger_run import TriggerRequest, TriggerRun

METHOD = "scheduler"


class StartSlot:
    """Has a run made for a slot. Its id is the slot's: however often it is asked for, and by whom, there is one."""

    def __init__(self, *, trigger: TriggerRun, declared: Callable[[str], Declaring]) -> None:
        """``declared``: a pipeline's function by its name; raises :class:`PipelineNotFound`."""
        self._trigger, self._declared = trigger, declared

    async def __call__(self, slot: Slot, *, reason: str | None = None) -> Run:
        """Accept the run, and have it started; raises what the trigger raises, and :class:`BadParameters`."""
        function = self._declared(slot.pipeline)
        request = TriggerRequest(
            run_id=slot.id,
            tenant=slot.tenant,
            pipeline=function.pipeline,
            parameters=accepted_parameters(function, {}, from_text=False),
            actor=SCHEDULE,
            trigger=Trigger.SCHEDULE,
            reason=reason,
            slot=slot.at,
            method=METHOD,
        )
        return (await self._trigger(request)).run


class FireSlots:
    """One look at what is due, by the database's clock. Right with any number at once, and after a crash at any step.

    What came due while the machine slept or the clock was elsewhere is started if its window is open still; what is not
    is the watcher's, and catching up is the pipeline's to declare.
    """

    def __init__(self, *, slots: Slots, start: StartSlot, tenant: Tenant) -> None:
        self._slots, self._start, self._tenant = slots, start, tenant

    async def __call__(
        self, *, gaps: bool = False, passed_over: Callable[[Slot], bool] = lambda _: False
    ) -> Sequence[Run]:
        """The runs that were accepted. ``gaps``: start those only over which the clock jumps: of the others a cluster
        takes care. ``passed_over``: which are not to be started.

        A slot that cannot be started at all is missed, and says why; one of a pipeline that is not declared here is
        left alone. Raises :class:`DatabaseUnavailable`.
        """
        runs: list[Run] = []
        for slot in await self._slots.due(self._tenant, gaps=gaps):
            if passed_over(slot):
                continue
            try:
                runs.append(await self._start(slot))
            except TemporaryError:
                raise
            except PipelineNotFound:
                continue  # another process may know it; if none does, its window closes and the watcher says so
            except KubescribeError as error:
                detail = storable_text(str(error), DETAIL_LIMIT)
                missed = SlotState(verdict=SlotVerdict.MISSED, reason=SlotReason.NOT_LAUNCHED, detail=detail)
                await self._slots.decide([Decision(slot=slot, after=missed)])
            failpoint("slots.fired")
        return runs
