"""The reconciler's loop: who makes the passes, what is said, and what is told of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from kubescribe.adapters.memory.database import MemoryRunLogDatabase
from kubescribe.adapters.memory.leadership import MemoryLeadership
from kubescribe.application.keep_reconciling import NAME, KeepReconciling
from kubescribe.application.metrics import Registry
from kubescribe.domain.errors import DatabaseUnavailable

ONE, OTHER = UUID(int=1), UUID(int=2)


class Scene:
    """A loop whose passes do what they are told."""

    def __init__(self, interval: float = 0.001) -> None:
        self.leadership = MemoryLeadership(MemoryRunLogDatabase())
        self.registry = Registry()
        self.passes = self.looks = 0
        self.said: list[str] = []
        self.answers: list[Sequence[str] | Exception] = []
        self.loop = KeepReconciling(
            self.one_pass, self, ONE, say=self.said.append, registry=self.registry, interval=interval
        )

    async def hold(self, name: str, holder: UUID, *, seconds: float) -> bool:
        self.looks += 1
        return await self.leadership.hold(name, holder, seconds=seconds)

    async def leave(self, name: str, holder: UUID) -> None:
        await self.leadership.leave(name, holder)

    async def one_pass(self) -> Sequence[str]:
        self.passes += 1
        answer = self.answers.pop(0) if self.answers else ()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def figures(self) -> dict[str, float]:
        self.loop.told()
        lines = [line.split() for line in self.registry.text().splitlines() if not line.startswith("#")]
        return {name: float(value) for name, value in lines}

    async def until(self, condition: Callable[[], bool]) -> None:
        """Give the loop its turns until something holds."""
        async with asyncio.timeout(20):
            while not condition():  # noqa: ASYNC110 - the loop tells nobody of its turns
                await asyncio.sleep(0)

    def play(self, story: Callable[[], Awaitable[None]]) -> None:
        """Tell a story while the loop goes on."""

        async def scene() -> None:
            task = asyncio.create_task(self.loop())
            try:
                await self.until(lambda: self.loop.standing is not None)
                await story()
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

        asyncio.run(scene())


def test_of_several_the_one_that_leads_makes_the_passes() -> None:
    scene = Scene()

    async def story() -> None:
        looks = scene.looks
        await scene.until(lambda: scene.looks > looks + 5)
        seen = scene.figures()
        assert scene.passes == 0 and seen["kubescribe_reconcile_leads"] == 0
        assert seen["kubescribe_reconcile_age_seconds"] < 20, "somebody else looks after the runs"
        await scene.leadership.leave(NAME, OTHER)
        await scene.until(lambda: scene.passes > 2)
        assert scene.figures()["kubescribe_reconcile_leads"] == 1

    asyncio.run(scene.leadership.hold(NAME, OTHER, seconds=60))
    scene.play(story)
    assert asyncio.run(scene.leadership.hold(NAME, OTHER, seconds=60)), "the lease was given back"


def test_what_fails_is_said_once_and_its_age_grows() -> None:
    scene = Scene()

    async def story() -> None:
        ages = []
        for number in range(1, 4):
            await scene.until(lambda: scene.passes >= 5 * number)  # noqa: B023 - waited for at once
            ages.append(scene.figures()["kubescribe_reconcile_age_seconds"])
        assert 0 < ages[0] < ages[1] < ages[2]
        assert len(scene.said) == 1 and "the reconciler waits" in scene.said[0]
        scene.answers = [ValueError("a defect"), ["run x: waits"], ["run x: waits"]]
        await scene.until(lambda: not scene.answers)
        before = scene.passes
        await scene.until(lambda: scene.passes > before + 1)
        assert scene.said[1:] == ["the reconciler failed: ValueError: a defect", "run x: waits"]

    scene.answers = [DatabaseUnavailable("RunLog", "gone")] * 1000
    scene.play(story)


def test_its_age_is_that_of_the_last_pass_that_came_to_its_end() -> None:
    scene = Scene()

    async def story() -> None:
        await scene.until(lambda: scene.passes > 0)
        well_at = [scene.loop.standing and scene.loop.standing.well_at]
        await scene.until(lambda: scene.loop.standing is not None and scene.loop.standing.well_at != well_at[0])
        scene.answers = [ValueError("a defect")] * 1000
        await scene.until(lambda: len(scene.said) == 1)
        failing = scene.loop.standing
        await scene.until(lambda: len(scene.answers) < 990)
        assert failing is not None and scene.loop.standing is not None
        assert scene.loop.standing.well_at == failing.well_at

    scene.play(story)


def test_a_nudge_makes_a_pass_at_once() -> None:
    scene = Scene(interval=3600)

    async def story() -> None:
        for number in range(1, 4):
            await scene.until(lambda: scene.passes == number)  # noqa: B023 - waited for at once
            scene.loop.nudge()

    scene.play(story)


def test_of_a_loop_that_has_not_begun_nothing_is_told() -> None:
    scene = Scene()
    scene.loop.told()
    assert not [line for line in scene.registry.text().splitlines() if not line.startswith("#")]
