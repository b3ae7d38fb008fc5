"""What ``deploy/`` makes of a cluster."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kubescribe.application.manifests.rendering import manifests
from tests.support.deployment import API, Applying, base
from tests.support.kube.api import Api
from tests.support.kube.control_plane import ControlPlane
from tests.support.manifests import INSTALLATION, a_pipeline
from tests.support.manual_jobs import attempt, manual_job
from tests.support.waiting import wait_for

PIPELINES = (
    a_pipeline("nightly_totals", retries=2),
    a_pipeline("hourly", schedule="0 * * * *"),
    a_pipeline("asked", schedule=None),
)


@pytest.fixture(scope="session")
def installed(control_plane: ControlPlane) -> ControlPlane:
    """The base and three pipelines; the admission policies are in force."""
    with Applying(control_plane) as administrator:
        administrator.apply([*base(), *manifests(PIPELINES, INSTALLATION)])
        assert administrator.warnings == []
    with control_plane.as_account(*API) as asking:
        good = manual_job(control_plane.api, "hourly")
        wait_for(lambda: attempt(asking, good) is None, "the policies to take a good Job", timeout=30)
        bad = manual_job(control_plane.api, "hourly")
        bad["spec"]["template"]["spec"]["containers"][0]["image"] = "evil"
        wait_for(lambda: attempt(asking, bad) is not None, "the policies to refuse a bad Job", timeout=30)
    return control_plane


@pytest.fixture
def as_api(installed: ControlPlane) -> Iterator[Api]:
    """The cluster as the API's service account sees it."""
    with installed.as_account(*API) as api:
        yield api
