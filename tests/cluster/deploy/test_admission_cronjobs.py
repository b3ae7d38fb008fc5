"""What the API may change of a CronJob: that it is suspended, and our own notes."""

from __future__ import annotations

from typing import Any

import pytest

from kubescribe.domain.job_names import PAUSED
from tests.support.deployment import RUNS
from tests.support.kube.api import JSON_PATCH, MERGE, STRATEGIC, Api
from tests.support.kube.control_plane import ControlPlane
from tests.support.kube.resources import ApiError, Json

TEMPLATE = {"spec": {"jobTemplate": {"spec": {"backoffLimit": 3}}}}
REFUSED: list[Json] = [
    {"spec": {"schedule": "* * * * *"}},
    {"spec": {"timeZone": "Europe/Berlin"}},
    {"spec": {"concurrencyPolicy": "Allow"}},
    {"spec": {"startingDeadlineSeconds": 10}},
    {"spec": {"startingDeadlineSeconds": None}},
    {"spec": {"successfulJobsHistoryLimit": 0}},
    {"spec": {"failedJobsHistoryLimit": 0}},
    TEMPLATE,
    {"spec": {"suspend": True, **TEMPLATE["spec"]}},
    {"spec": {"jobTemplate": {"spec": {"ttlSecondsAfterFinished": 1}}}},
    {"spec": {"jobTemplate": {"metadata": {"annotations": {"a": "b"}}}}},
    {"spec": {"jobTemplate": {"spec": {"template": {"spec": {"hostNetwork": True}}}}}},
    {"spec": {"jobTemplate": {"spec": {"template": {"spec": {"serviceAccountName": "default"}}}}}},
    {"metadata": {"labels": {"kubescribe.io/pipeline": "other"}}},
    {"metadata": {"labels": {"other": "label"}}},
    {"metadata": {"labels": None}},
    {"metadata": {"annotations": {"other": "note"}}},
    {"metadata": {"annotations": {"kubescribe.io": "almost"}}},
    {"metadata": {"annotations": {"theirs": None}}},
    {"metadata": {"annotations": {"theirs": "changed"}}},
    {"metadata": {"annotations": None}},
    {"metadata": {"finalizers": ["example.org/never"]}},
    {"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "c", "uid": "u"}]}},
]


@pytest.fixture(autouse=True)
def _noted(installed: ControlPlane) -> None:
    installed.api.patch("cronjobs", "hourly", {"metadata": {"annotations": {"theirs": "note"}}}, RUNS)


@pytest.mark.parametrize("change", REFUSED, ids=repr)
def test_all_else_is_refused(as_api: Api, change: Json) -> None:
    with pytest.raises(ApiError, match="ValidatingAdmissionPolicy 'kubescribe-cronjobs'"):
        as_api.patch("cronjobs", "hourly", change, RUNS, dryRun="All")


@pytest.mark.parametrize(
    "change",
    [
        {"spec": {"suspend": False}},
        {"spec": {"suspend": True}},
        {"spec": {"suspend": None}},
        {"spec": {"suspend": True}, "metadata": {"annotations": {PAUSED: "2026-11-22T00:00:00Z"}}},
        {"metadata": {"annotations": {PAUSED: None}}},
    ],
    ids=repr,
)
@pytest.mark.parametrize("kind", [MERGE, STRATEGIC])
def test_a_pause_and_its_note_are_taken(as_api: Api, change: Json, kind: str) -> None:
    as_api.patch("cronjobs", "hourly", change, RUNS, content_type=kind, dryRun="All")


def test_a_patch_may_hold_on_to_a_version(installed: ControlPlane, as_api: Api) -> None:
    now = installed.api.get("cronjobs", "hourly", RUNS)
    held: list[dict[str, Any]] = [
        {"op": "test", "path": "/metadata/resourceVersion", "value": now["metadata"]["resourceVersion"]},
        {"op": "replace", "path": "/spec/suspend", "value": True},
    ]
    as_api.patch("cronjobs", "hourly", held, RUNS, content_type=JSON_PATCH, dryRun="All")


def test_a_pipeline_without_a_schedule_is_not_resumed(as_api: Api) -> None:
    with pytest.raises(ApiError, match="stays suspended"):
        as_api.patch("cronjobs", "asked", {"spec": {"suspend": False}}, RUNS, dryRun="All")


def test_a_cron_job_of_others_is_left_alone(installed: ControlPlane, as_api: Api) -> None:
    theirs = installed.api.get("cronjobs", "hourly", RUNS)
    theirs = {key: theirs[key] for key in ("apiVersion", "kind", "spec")} | {"metadata": {"name": "theirs"}}
    installed.api.create(theirs, RUNS)
    try:
        with pytest.raises(ApiError, match="without the label"):
            as_api.patch("cronjobs", "theirs", {"spec": {"suspend": True}}, RUNS, dryRun="All")
    finally:
        installed.api.delete("cronjobs", "theirs", RUNS)


def test_others_are_not_held_to_it(installed: ControlPlane) -> None:
    installed.api.patch("cronjobs", "hourly", TEMPLATE, RUNS, dryRun="All")
