"""Pipelines for manifests, and their changes."""

from __future__ import annotations

from typing import Any

from kubescribe.application.manifests.cron_job import cron_job
from kubescribe.application.manifests.installation import Installation, Manifest
from kubescribe.domain.pipeline import Pipeline

INSTALLATION = Installation(modules=("jobs",), image="registry.example.org/jobs:1")


class _Removed:
    def __repr__(self) -> str:
        return "REMOVED"


REMOVED = _Removed()


def a_pipeline(name: str = "nightly_totals", **declared: Any) -> Pipeline:
    """Every night at a quarter past five, unless told otherwise."""
    return Pipeline(**{"name": name, "schedule": "15 5 * * *", "location": "jobs:nightly", **declared})


def a_cron_job(**declared: Any) -> Manifest:
    return cron_job(a_pipeline(**declared), INSTALLATION)


def changed(manifest: Manifest, path: str, value: Any) -> Manifest:
    """The manifest with another value at ``spec/jobTemplate/…``; ``REMOVED`` takes it out. Changes it in place.

    ``~`` stands for the slash in a label's name; one behind the end of a list is added to it.
    """
    *way, last = (int(part) if part.isdigit() else part.replace("~", "/") for part in path.split("/"))
    place: Any = manifest
    for part in way:
        place = place[part]
    if value is REMOVED:
        del place[last]
    elif isinstance(place, list):
        place[int(last) : int(last) + 1] = [value]
    else:
        place[last] = value
    return manifest
