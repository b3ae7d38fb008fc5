"""The manifests in ``deploy/``, and a way to apply them that hears every warning."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.support.kube.api import APPLY, Api
from tests.support.kube.control_plane import ControlPlane
from tests.support.kube.resources import BY_KIND, Json

DEPLOY = Path(__file__).parents[2] / "deploy"
OVERLAYS = ("dev", "production", "runlog")
API = ("kubescribe", "kubescribe-api")
RUNS = "kubescribe-runs"
HOW_TO_GET_KUSTOMIZE = "overlays are rendered by kustomize: have `kustomize` or `kubectl` in PATH"

# What would make pods; the API server's word on them is had without making any.
_WORKLOADS = ("Deployment", "StatefulSet", "Job")


def base() -> list[Json]:
    """The base's objects, as they stand in its files: it changes nothing of them."""
    listed = yaml.safe_load((DEPLOY / "base" / "kustomization.yaml").read_text())
    return [one for name in listed["resources"] for one in _read(DEPLOY / "base" / name)]


def overlay(name: str) -> list[Json]:
    """An overlay's objects, by kustomize; skips the test where there is none."""
    kustomize = [["kustomize", "build"]] if shutil.which("kustomize") else []
    kustomize += [["kubectl", "kustomize"]] if shutil.which("kubectl") else []
    if not kustomize:
        pytest.skip(HOW_TO_GET_KUSTOMIZE)
    rendered = subprocess.run(
        [*kustomize[0], str(DEPLOY / "overlays" / name)], capture_output=True, text=True, check=True
    )
    return list(yaml.safe_load_all(rendered.stdout))


def pod_template(thing: Json) -> Json | None:
    """The pod template in an object: its metadata and its spec; None where it makes no pods."""
    spec: Any = thing.get("spec", {})
    if thing["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    template: Json | None = spec.get("template") if thing["kind"] in (*_WORKLOADS, "CronJob") else None
    return template


def _read(file: Path) -> list[Json]:
    return [one for one in yaml.safe_load_all(file.read_text()) if one is not None]


class Applying(Api):
    """The administrator, with server-side apply and strict validation."""

    def __init__(self, plane: ControlPlane) -> None:
        super().__init__(plane.url, plane.authority.file, plane.authority.issue("deployer", ("system:masters",)))
        self.warnings: list[str] = []
        self._client.event_hooks["response"].append(self._hear)

    def __enter__(self) -> Applying:
        return self

    def _hear(self, answer: httpx.Response) -> None:
        self.warnings += answer.headers.get_list("Warning")

    def apply(self, things: Iterable[Json]) -> None:
        """All of them, in the order of kubectl: what others need comes first. Of workloads, a dry run."""
        for thing in sorted(things, key=_turn):
            where = BY_KIND[thing["kind"]].path(thing["metadata"].get("namespace"), thing["metadata"]["name"])
            parameters: dict[str, str | bool] = {"fieldManager": "test", "force": True, "fieldValidation": "Strict"}
            if thing["kind"] in _WORKLOADS:
                parameters["dryRun"] = "All"
            self.call("PATCH", where, _quiet(thing), content_type=APPLY, parameters=parameters)


def _turn(thing: Json) -> int:
    first = ("Namespace", "ServiceAccount", "ConfigMap")
    return first.index(thing["kind"]) if thing["kind"] in first else len(first)


def _quiet(thing: Json) -> Json:
    """A schedule is not to fire beside other tests."""
    return {**thing, "spec": {**thing["spec"], "suspend": True}} if thing["kind"] == "CronJob" else thing
