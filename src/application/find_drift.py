"""What of a cluster's CronJobs is not as it is declared."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ..domain.job_names import CONCURRENCY, NO_SCHEDULE
from ..domain.pipeline import Pipeline
from .manifests.difference import difference
from .manifests.installation import Installation, Manifest
from .manifests.lint import problems
from .manifests.rendering import STARTABLE, manifests
from .manifests.yaml_text import yaml_text
from .ports.cron_jobs import CronJobs


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """What was found."""

    missing: tuple[str, ...] = ()
    """Declared, and not in the cluster."""
    undeclared: tuple[str, ...] = ()
    """In the cluster, rendered once, and declared no more."""
    changed: tuple[str, ...] = ()
    """In both, and not alike; also the list of those that the API may start, by its name."""
    difference: str = ""
    """All of it as a unified diff, from what is there to what is declared."""
    problems: tuple[str, ...] = ()
    """What the rules of ``lint`` say of those that are there, each with its CronJob's name."""

    @property
    def any(self) -> bool:
        """Whether there is something to do."""
        return bool(self.difference or self.problems)


class FindDrift:
    """Compares whole specs, as the cluster would complete them: what somebody added is found like what he changed.
    And the list of those that the API may start, without which the admission policies refuse every Job of its.

    A pause is none: ``spec.suspend`` of a pipeline with a schedule is not looked at. Nor are annotations and labels
    that are not ours, which GitOps tools add.
    """

    def __init__(self, *, cron_jobs: CronJobs) -> None:
        self._cron_jobs = cron_jobs

    async def __call__(self, pipelines: Sequence[Pipeline], installation: Installation) -> Drift:
        """Raises :class:`BadDeclaration`, and as the port does."""
        startable, *rendered = manifests(pipelines, installation)
        declared = {one["metadata"]["name"]: one for one in rendered}
        found = {one["metadata"]["name"]: one for one in await self._cron_jobs.rendered(installation.namespace)}
        wanted = {name: _comparable(await self._cron_jobs.as_taken(declared[name])) for name in sorted(declared)}
        there = {name: _comparable(found[name]) for name in sorted(found)}
        wanted[_LIST] = {"data": _sorted(startable["data"])}
        if (listed := await self._cron_jobs.startable(installation.namespace)) is not None:
            there[_LIST] = {"data": _sorted(dict(listed))}
        return Drift(
            missing=tuple(name for name in wanted if name not in there),
            undeclared=tuple(name for name in there if name not in wanted),
            changed=tuple(name for name in wanted if name in there and there[name] != wanted[name]),
            difference=difference(_texts(there), _texts(wanted)),
            problems=tuple(f"{name}: {problem}" for name in sorted(found) for problem in problems(found[name])),
        )


_LIST = f"configmap/{STARTABLE}"
"""By a name that no CronJob can have."""


def _texts(things: dict[str, Manifest]) -> dict[str, str]:
    return {name: yaml_text(thing) for name, thing in things.items()}


def _comparable(thing: Manifest) -> Manifest:
    spec = dict(thing["spec"])
    if spec.get("schedule") != NO_SCHEDULE:
        spec.pop("suspend", None)
    labels = thing["metadata"].get("labels") or {}
    annotations = thing["metadata"].get("annotations") or {}
    marked = {CONCURRENCY: annotations[CONCURRENCY]} if CONCURRENCY in annotations else {}
    ours = {name: labels[name] for name in sorted(labels) if "kubescribe" in name or name in _OURS}
    known = {"name": thing["metadata"]["name"], "labels": ours, "annotations": marked}
    return _sorted({"metadata": known, "spec": spec})


_OURS = ("app.kubernetes.io/name", "app.kubernetes.io/component")


def _sorted(thing: Manifest) -> Manifest:
    return {
        name: _sorted(value)
        if isinstance(value, dict)
        else [_sorted(one) if isinstance(one, dict) else one for one in value]
        if isinstance(value, list)
        else value
        for name, value in sorted(thing.items())
    }
