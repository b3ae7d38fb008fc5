"""S-18: what is deployed and what is rendered is taken by the API server as it stands, without a warning."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kubescribe.application.manifests.rendering import manifests
from tests.support.deployment import OVERLAYS, RUNS, Applying, base, overlay
from tests.support.kube.control_plane import ControlPlane
from tests.support.kube.resources import ApiError
from tests.support.manifests import INSTALLATION, a_pipeline
from tests.support.waiting import wait_for

POLICIES = ("kubescribe-jobs", "kubescribe-job-owners", "kubescribe-job-templates", "kubescribe-cronjobs")
SCHEDULES = (None, "* * * * *", "*/5 1-4 * * 1-5", "@daily", "@every 90m", "0 0 29 2 *")


@pytest.fixture
def administrator(installed: ControlPlane) -> Iterator[Applying]:
    with Applying(installed) as api:
        yield api


def test_the_base_is_taken_without_a_warning(administrator: Applying) -> None:
    administrator.apply(base())
    assert administrator.warnings == []


@pytest.mark.parametrize("name", OVERLAYS)
def test_an_overlay_is_taken_without_a_warning(administrator: Applying, name: str) -> None:
    administrator.apply(overlay(name))
    assert administrator.warnings == []


def test_rendered_cron_jobs_are_taken_without_a_warning(administrator: Applying) -> None:
    pipelines = [a_pipeline(f"job_{number}", schedule=one, retries=number % 4) for number, one in enumerate(SCHEDULES)]
    things = manifests(pipelines, INSTALLATION)[1:]
    administrator.apply(things)
    assert administrator.warnings == []
    for thing in things:
        administrator.delete("cronjobs", thing["metadata"]["name"], RUNS)


def test_a_misspelt_field_would_be_refused_and_a_lax_pod_warned_of(administrator: Applying) -> None:
    (_, thing) = manifests([a_pipeline("lax")], INSTALLATION)
    thing["spec"]["jobTemplate"]["spec"]["backofLimit"] = 1
    with pytest.raises(ApiError, match="backofLimit"):
        administrator.apply([thing])
    del thing["spec"]["jobTemplate"]["spec"]["backofLimit"]
    thing["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["securityContext"] = {}
    administrator.apply([thing])
    assert any("would violate PodSecurity" in one for one in administrator.warnings)
    administrator.delete("cronjobs", "lax", RUNS)


@pytest.mark.parametrize("name", POLICIES)
def test_the_policies_expressions_are_sound(administrator: Applying, name: str) -> None:
    def checked() -> dict[str, object] | None:
        status: dict[str, object] = administrator.get("validatingadmissionpolicies", name).get("status", {})
        return status if "typeChecking" in status else None

    status = wait_for(checked, f"the types of {name} to be checked", timeout=30)
    assert status["typeChecking"] == {}
