"""A container's environment."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tests.support.kube.resources import Json

from . import downward
from .sources import NotThere, Sources

_REFERENCE = re.compile(r"\$\$|\$\(([A-Za-z_.-][A-Za-z0-9_.-]*)\)")


def expanded(text: str, variables: Mapping[str, str]) -> str:
    """``$(NAME)`` replaced where it is known, ``$$`` by a dollar; as the kubelet does, without a shell."""
    return _REFERENCE.sub(lambda found: "$" if found[0] == "$$" else variables.get(found[1], found[0]), text)


async def environment(pod: Json, container: Json, sources: Sources, base: Mapping[str, str]) -> dict[str, str]:
    """What ``envFrom`` and ``env`` say. ``base`` is the image's: references see it, and it is not in the answer.

    Raises :class:`NotThere` for a secret or config map that is not there, and not optional.
    """
    made: dict[str, str] = {}
    for each in container.get("envFrom", []):
        kind = "secrets" if "secretRef" in each else "configmaps"
        reference = each["secretRef" if kind == "secrets" else "configMapRef"]
        for key, value in (await sources.values(kind, pod, reference) or {}).items():
            made[each.get("prefix", "") + key] = value.decode()
    for each in container.get("env", []):
        if "valueFrom" not in each:
            made[each["name"]] = expanded(each.get("value", ""), {**base, **made})
            continue
        referred = await _referred(pod, container, each["valueFrom"], sources)
        if referred is not None:
            made[each["name"]] = referred
    return made


async def _referred(pod: Json, container: Json, source: Json, sources: Sources) -> str | None:
    if "fieldRef" in source:
        return downward.field(pod, source["fieldRef"]["fieldPath"])
    if "resourceFieldRef" in source:
        return downward.resource(pod, container["name"], source["resourceFieldRef"], sources.allocatable)
    kind, reference = (
        ("secrets", source["secretKeyRef"]) if "secretKeyRef" in source else ("configmaps", source["configMapKeyRef"])
    )
    values = await sources.values(kind, pod, reference)
    if values is None:
        return None
    if reference["key"] not in values:
        if reference.get("optional"):
            return None
        where = f"{pod['metadata']['namespace']}/{reference['name']}"
        raise NotThere(f"couldn't find key {reference['key']} in {_SAID[kind]} {where}")
    return values[reference["key"]].decode()


_SAID = {"secrets": "Secret", "configmaps": "ConfigMap"}
