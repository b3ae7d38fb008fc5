"""S-19: nothing talks to anything that is not said. Whether a cluster's network keeps it is not tested here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.deployment import OVERLAYS, base, overlay, pod_template
from tests.support.kube.resources import Json
from tests.support.manifests import INSTALLATION, a_pipeline

from kubescribe.application.manifests.rendering import manifests

OPEN = "kubescribe.io/open-to-all"
EVERYBODY = ("0.0.0.0/0", "::/0")


def problems(things: list[Json]) -> Iterator[str]:
    """Pods that no policy selects, and policies that open to everybody without saying why."""
    policies = [one for one in things if one["kind"] == "NetworkPolicy"]
    for thing in things:
        template = pod_template(thing)
        if template is None:
            continue
        where, labels = thing["metadata"]["namespace"], template["metadata"]["labels"]
        mine = [
            one
            for one in policies
            if one["metadata"]["namespace"] == where and selects(one["spec"]["podSelector"], labels)
        ]
        for direction in ("Ingress", "Egress"):
            denying = [one for one in mine if one["spec"]["podSelector"] == {} and denies(one, direction)]
            if not denying:
                yield f"{thing['metadata']['name']}: nothing denies {direction}"
        if not [one for one in mine if one["spec"]["podSelector"] != {}]:
            yield f"{thing['metadata']['name']}: no policy of its own"
    for one in policies:
        blocks = [to["ipBlock"]["cidr"] for rule in rules(one) for to in peers(rule) if "ipBlock" in to]
        if set(blocks) & set(EVERYBODY) and not one["metadata"].get("annotations", {}).get(OPEN):
            yield f"{one['metadata']['name']}: is open to everybody"
        for rule in rules(one):
            if not peers(rule) or not rule.get("ports"):
                yield f"{one['metadata']['name']}: a rule for every peer or every port"


def denies(policy: Json, direction: str) -> bool:
    return direction in policy["spec"]["policyTypes"] and direction.lower() not in policy["spec"]


def rules(policy: Json) -> list[Any]:
    return [*policy["spec"].get("ingress", []), *policy["spec"].get("egress", [])]


def peers(rule: Json) -> list[Any]:
    return [*rule.get("from", []), *rule.get("to", [])]


def selects(selector: Json, labels: dict[str, str]) -> bool:
    exact = all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
    among = all(labels.get(one["key"]) in one["values"] for one in selector.get("matchExpressions", []))
    return exact and among


PIPELINES = manifests([a_pipeline()], INSTALLATION)


def test_every_pod_of_the_base_and_of_pipelines_is_selected() -> None:
    assert list(problems([*base(), *PIPELINES])) == []


@pytest.mark.parametrize("name", OVERLAYS)
def test_every_pod_of_an_overlay_is_selected(name: str) -> None:
    things = overlay(name)
    assert list(problems(things if name != "runlog" else [*base(), *things])) == []


@pytest.mark.parametrize("name", ["default-deny", "kubescribe-api", "kubescribe-migrate", "kubescribe-runner"])
def test_a_policy_less_is_seen(name: str) -> None:
    things = [one for one in (*base(), *PIPELINES) if one["metadata"]["name"] != name or one["kind"] != "NetworkPolicy"]
    assert list(problems(things))


def test_an_open_door_is_seen() -> None:
    things = base()
    for one in things:
        one["metadata"].pop("annotations", None)
    assert list(problems(things)) == ["kubescribe-api: is open to everybody"]
