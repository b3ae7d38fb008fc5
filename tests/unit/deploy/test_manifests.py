"""S-17, S-18, S-20: what every object of ``deploy/`` has in common."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from tests.support.deployment import DEPLOY, OVERLAYS, RUNS, base, overlay, pod_template
from tests.support.kube.resources import Json

from kubescribe.application.authoring.registry import Registry
from kubescribe.application.manifests.difference import difference
from kubescribe.application.manifests.installation import RUNNER, Installation
from kubescribe.application.manifests.lint import problems
from kubescribe.application.manifests.rendering import STARTABLE, files
from kubescribe.domain.exit_code import ExitCode

HELLO = "examples.hello.pipeline"
WITH_A_TOKEN = "kubescribe-api"


def named(things: list[Json], kind: str, name: str) -> Json:
    (found,) = [one for one in things if one["kind"] == kind and one["metadata"]["name"] == name]
    return found


@pytest.fixture(params=["base", *OVERLAYS])
def things(request: pytest.FixtureRequest) -> list[Json]:
    return base() if request.param == "base" else overlay(request.param)


def test_only_the_api_has_a_token(things: list[Json]) -> None:
    for thing in things:
        if (template := pod_template(thing)) is not None:
            mounted = template["spec"].get("automountServiceAccountToken", True)
            assert mounted == (thing["metadata"]["name"] == WITH_A_TOKEN), thing["metadata"]["name"]
    accounts = [one for one in things if one["kind"] == "ServiceAccount"]
    assert all(one["automountServiceAccountToken"] is False for one in accounts)


def test_every_pod_is_restricted_and_bounded(things: list[Json]) -> None:
    for thing in things:
        template = pod_template(thing)
        if template is None:
            continue
        pod = template["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["enableServiceLinks"] is False
        for container in pod["containers"]:
            security = container["securityContext"]
            assert security["readOnlyRootFilesystem"] is True
            assert security["allowPrivilegeEscalation"] is False
            assert security["capabilities"] == {"drop": ["ALL"]}
            assert container["resources"]["limits"]["memory"] == container["resources"]["requests"]["memory"]
            assert not [one for one in container.get("env", []) if "_URL" in one["name"] or one.get("value") == ""]
        assert all(one["emptyDir"].get("sizeLimit") for one in pod.get("volumes", []) if "emptyDir" in one)


def test_cron_jobs_of_overlays_keep_the_rules(things: list[Json]) -> None:
    for thing in things:
        if thing["kind"] == "CronJob":
            assert problems(thing) == ()


def test_the_apis_secrets_are_not_where_pipelines_run(things: list[Json]) -> None:
    homes = {one["metadata"]["name"]: one["metadata"]["namespace"] for one in things if one["kind"] == "Secret"}
    assert {name for name, where in homes.items() if where == RUNS} <= {RUNNER}
    assert homes.get("kubescribe-api", "kubescribe") == homes.get("kubescribe-migrate", "kubescribe") == "kubescribe"


def test_production_brings_no_secret_along() -> None:
    assert [one for one in overlay("production") if one["kind"] == "Secret"] == []


def test_the_example_secrets_are_the_ones_that_pods_ask_for() -> None:
    file = DEPLOY / "overlays" / "production" / "secrets.example.yaml"
    there = {(one["metadata"]["namespace"], one["metadata"]["name"]) for one in yaml.safe_load_all(file.read_text())}
    asked = set()
    for thing in overlay("dev"):
        for container in (pod_template(thing) or {"spec": {"containers": []}})["spec"]["containers"]:
            for one in container.get("envFrom", []):
                if "secretRef" in one:
                    asked.add((thing["metadata"]["namespace"], one["secretRef"]["name"]))
    assert asked == there


def test_the_example_pipelines_are_rendered_as_they_are_declared() -> None:
    folder = DEPLOY / "overlays" / "dev" / "pipelines"
    wanted = files(Registry.load((HELLO,), entry_points=False).pipelines(), Installation(modules=(HELLO,)))
    there = {file.name: file.read_text() for file in Path(folder).iterdir()}
    assert difference(there, wanted) == ""


def test_names_and_numbers_are_those_of_the_code() -> None:
    things = base()
    listed = named(things, "ValidatingAdmissionPolicyBinding", "kubescribe-job-owners")
    assert listed["spec"]["paramRef"]["name"] == STARTABLE
    assert named(things, "ServiceAccount", RUNNER)["metadata"]["namespace"] == Installation().namespace == RUNS
    (pod_rule,) = [
        rule
        for rule in named(overlay("dev"), "CronJob", "hello")["spec"]["jobTemplate"]["spec"]["podFailurePolicy"][
            "rules"
        ]
        if rule["action"] == "FailJob"
    ]
    assert pod_rule["onExitCodes"]["values"] == [
        ExitCode.USAGE,
        ExitCode.PRECONDITION,
        ExitCode.FENCED,
        ExitCode.REFUSED,
    ]


def test_overlays_name_one_image_for_all(things: list[Json]) -> None:
    ours = {
        container["image"]
        for thing in things
        for container in (pod_template(thing) or {"spec": {"containers": []}})["spec"]["containers"]
        if container["name"] in ("api", "migrate", "runner")
    }
    assert len(ours) <= 1
