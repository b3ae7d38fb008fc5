"""The overlay ``dev`` of ``deploy/`` in two namespaces of its own, and the walk's pipelines in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kubescribe.application.authoring.registry import Registry
from kubescribe.application.manifests import rendering
from kubescribe.application.manifests.installation import Installation as Rendered
from tests.support.deployment import DEPLOY, pod_template
from tests.support.kube.resources import Json
from tests.support.three_databases import ThreeDatabases

from .kubectl import Kubectl

PIPELINES = Path(__file__).with_name("pipelines.py")
MODULE = "walk_pipelines"
FOLDER = "/srv/walk"
"""Where the pods find the module."""
_CLUSTER_WIDE = ("Namespace", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")


class Installation:
    """KubeScribe under another name, beside whatever else the cluster has: ``NAME`` and ``NAME-runs``."""

    def __init__(
        self,
        kubectl: Kubectl,
        name: str,
        image: str,
        *,
        databases: ThreeDatabases | None = None,
        replicas: int = 1,
    ) -> None:
        """``databases``: None for the overlay's own PostgreSQL. ``replicas``: of the API."""
        self.kubectl, self.namespace, self.runs = kubectl, name, f"{name}-runs"
        self._image, self._databases, self._replicas = image, databases, replicas

    @contextmanager
    def installed(self, *, keep: bool = False) -> Iterator[None]:
        """Apply it, and wait until it serves; at the end of the block it is removed, unless it is to be kept."""
        try:
            self.apply()
            self._wait()
            yield
        finally:
            if not keep:
                self.remove()

    def apply(self) -> None:
        """Namespaces first, for what is in them needs them."""
        things = self.things()
        first = [one for one in things if one["kind"] in _CLUSTER_WIDE]
        self.kubectl.apply(first)
        self.kubectl.apply([one for one in things if one not in first])

    def remove(self) -> None:
        """All of it. Does not wait for the namespaces' end, which takes a minute."""
        for kind, name in reversed([(one["kind"], one["metadata"]["name"]) for one in self.things()]):
            if kind in _CLUSTER_WIDE:
                self.kubectl("delete", kind, name, "--ignore-not-found", "--wait=false")

    def things(self) -> list[Json]:
        """What is applied."""
        overlay = [self._renamed(one) for one in self.kubectl.rendered(DEPLOY / "overlays" / "dev")]
        kept = [one for one in overlay if not self._replaced(one)]
        rendered = Rendered(namespace=self.runs, image=self._image, modules=(MODULE,))
        declared = Registry.load(("tests.e2e.pipelines",), entry_points=False).pipelines()
        kept += [*rendering.manifests(declared, rendered), self._module(self.namespace), self._module(self.runs)]
        for thing in kept:
            self._changed(thing)
        return kept

    def _wait(self) -> None:
        if self._databases is None:
            self._until("rollout", "status", "statefulset/postgres")
        self._until("wait", "--for=condition=Complete", "job/kubescribe-migrate")
        self._until("rollout", "status", "deployment/kubescribe-api")

    def _until(self, *words: str) -> None:
        self.kubectl("--namespace", self.namespace, *words, "--timeout=5m")

    def _replaced(self, thing: Json) -> bool:
        """The overlay's pipelines are not the walk's; its PostgreSQL is not needed where there is another."""
        names = ("kubescribe-pipelines", "hello")
        if thing["metadata"]["name"] in names and thing["metadata"].get("namespace") == self.runs:
            return True
        part = (thing["metadata"].get("labels") or {}).get("app.kubernetes.io/component")
        return self._databases is not None and part == "database"

    def _module(self, namespace: str) -> Json:
        metadata = {"name": "walk", "namespace": namespace}
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata,
            "data": {f"{MODULE}.py": PIPELINES.read_text()},
        }

    # -- changes of what is rendered -----------------------------------------------------------------------------

    def _changed(self, thing: Json) -> None:
        name = thing["metadata"]["name"]
        if thing["kind"] == "Deployment":
            thing["spec"]["replicas"] = self._replicas
        if thing["kind"] == "ConfigMap" and name == "kubescribe-api":
            thing["data"]["KUBESCRIBE_PIPELINES"] = MODULE
        if thing["kind"] == "Secret" and self._databases is not None:
            ours = {"RUNLOG_DB_URL": "runlog", "PROD_DB_URL": "production", "REPORT_DB_URL": "report"}
            for variable in ours.keys() & thing["stringData"].keys():
                thing["stringData"][variable] = getattr(self._databases, ours[variable])
        if thing["kind"] == "StatefulSet" and not self._has_storage():
            _without_volume(thing)
        template = pod_template(thing)
        if template is None or thing["kind"] == "StatefulSet":
            return
        spec = template["spec"]
        spec.setdefault("volumes", []).append({"name": "walk", "configMap": {"name": "walk"}})
        for container in spec["containers"]:
            container["image"] = self._image
            container.setdefault("volumeMounts", []).append({"name": "walk", "mountPath": FOLDER, "readOnly": True})
            container.setdefault("env", []).append({"name": "PYTHONPATH", "value": FOLDER})

    def _has_storage(self) -> bool:
        """Whether the cluster makes volumes for whoever asks for one."""
        default = "storageclass.kubernetes.io/is-default-class"
        classes = self.kubectl.json("get", "storageclasses")["items"]
        return any((one["metadata"].get("annotations") or {}).get(default) == "true" for one in classes)

    def _renamed(self, thing: Json) -> Json:
        """With our names; namespaces and accounts stand in policies as text."""
        renamed: Json = self._with_our_names(thing, "")
        if thing["kind"] in _CLUSTER_WIDE:
            metadata = renamed["metadata"]
            metadata["name"] = self._ours(str(metadata["name"]))
            spec = renamed.get("spec", {})
            if "policyName" in spec:
                spec["policyName"] = self._ours(str(spec["policyName"]))
        return renamed

    def _ours(self, name: str) -> str:
        return name if name.startswith(self.namespace) else self.namespace + name.removeprefix("kubescribe")

    def _with_our_names(self, value: Any, key: str) -> Any:
        if isinstance(value, dict):
            return {name: self._with_our_names(one, name) for name, one in value.items()}
        if isinstance(value, list):
            return [self._with_our_names(one, key) for one in value]
        if not isinstance(value, str):
            return value
        if key in ("namespace", "kubernetes.io/metadata.name") and value == "kubescribe":
            return self.namespace
        text = value.replace("kubescribe-runs", self.runs)
        text = text.replace("system:serviceaccount:kubescribe:", f"system:serviceaccount:{self.namespace}:")
        return text.replace(".kubescribe.svc", f".{self.namespace}.svc")


def _without_volume(stateful_set: Json) -> None:
    """Where nobody makes volumes, the database lives as long as its pod: long enough for a walk."""
    (claim,) = stateful_set["spec"].pop("volumeClaimTemplates")
    stateful_set["spec"]["template"]["spec"]["volumes"].append({"name": claim["metadata"]["name"], "emptyDir": {}})
