"""The downward API: what a pod is told of itself."""

from __future__ import annotations

import re

from tests.support.kube.resources import Json

from .quantities import divided

ADDRESS = "127.0.0.1"
_ONE_OF = re.compile(r"metadata\.(labels|annotations)\['(.+)'\]")


def field(pod: Json, path: str) -> str:
    """The value of a ``fieldRef``; empty for a label that is not there. Raises KeyError for a path that is none."""
    metadata, spec = pod["metadata"], pod["spec"]
    if one := _ONE_OF.fullmatch(path):
        return str(metadata.get(one[1], {}).get(one[2], ""))
    if path in ("metadata.labels", "metadata.annotations"):
        given = metadata.get(path.partition(".")[2], {})
        return "\n".join(f'{name}="{_quoted(value)}"' for name, value in sorted(given.items()))
    return {
        "metadata.name": str(metadata["name"]),
        "metadata.namespace": str(metadata["namespace"]),
        "metadata.uid": str(metadata["uid"]),
        "spec.nodeName": str(spec.get("nodeName", "")),
        "spec.serviceAccountName": str(spec.get("serviceAccountName", "")),
        "status.hostIP": ADDRESS,
        "status.hostIPs": ADDRESS,
        "status.podIP": ADDRESS,
        "status.podIPs": ADDRESS,
    }[path]


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def resource(pod: Json, container: str, reference: Json, allocatable: Json) -> str:
    """The value of a ``resourceFieldRef``; a limit that is not set is what the node has."""
    wanted = reference.get("containerName", container)
    spec = next(each for each in pod["spec"]["containers"] if each["name"] == wanted)
    part, name = reference["resource"].split(".", 1)
    resources = spec.get("resources", {})
    given = resources.get(part, {}).get(name)
    if given is None:
        given = allocatable[name] if part == "limits" else resources.get("limits", {}).get(name, "0")
    return divided(given, str(reference.get("divisor", "1")))
