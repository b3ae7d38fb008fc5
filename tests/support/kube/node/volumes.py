"""A pod's volumes as folders, and how its containers find them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from tests.support.kube.resources import Json

from . import downward
from .sources import NotThere, Sources

_IMITATED = ("emptyDir", "secret", "configMap", "downwardAPI", "projected")


async def fill(pod: Json, folder: Path, sources: Sources) -> dict[str, Path]:
    """Make every volume; their folders by name. Raises :class:`NotThere`."""
    made = {}
    for volume in pod["spec"].get("volumes", []):
        kind = next((each for each in _IMITATED if each in volume), None)
        if kind is None:
            raise NotThere(f"this node has no such volumes: {', '.join(set(volume) - {'name'})}")
        made[volume["name"]] = place = folder / volume["name"]
        place.mkdir(parents=True, exist_ok=True)
        parts = volume["projected"].get("sources", []) if kind == "projected" else [{kind: volume[kind]}]
        for part in parts:
            for path, content in (await _content(pod, part, sources)).items():
                (place / path).parent.mkdir(parents=True, exist_ok=True)
                (place / path).write_bytes(content)
    return made


async def _content(pod: Json, part: Json, sources: Sources) -> Mapping[str, bytes]:
    ((kind, source),) = part.items()
    if kind == "serviceAccountToken":
        return {source["path"]: await sources.token(pod, source)}
    if kind == "downwardAPI":
        return {each["path"]: _told(pod, each, sources) for each in source.get("items", [])}
    if kind == "emptyDir":
        return {}
    values = await sources.values("secrets" if kind == "secret" else "configmaps", pod, source) or {}
    if "items" not in source:
        return values
    missing = [each["key"] for each in source["items"] if each["key"] not in values]
    if missing and not source.get("optional"):
        raise NotThere(f"references non-existent {kind} key: {missing[0]}")
    return {each["path"]: values[each["key"]] for each in source["items"] if each["key"] in values}


def _told(pod: Json, item: Json, sources: Sources) -> bytes:
    if "fieldRef" in item:
        return downward.field(pod, item["fieldRef"]["fieldPath"]).encode()
    return downward.resource(pod, "", item["resourceFieldRef"], sources.allocatable).encode()


class Paths:
    """The paths of a container and where they are in truth.

    There is no file system of the container's own, so the paths where it mounts something are exchanged for the true
    ones wherever they stand in its command, arguments and environment: whole, or as the beginning of a longer path.
    """

    def __init__(self, container: Json, volumes: Mapping[str, Path], message: Path) -> None:
        self._true = {container.get("terminationMessagePath", "/dev/termination-log"): message}
        for mount in container.get("volumeMounts", []):
            place = volumes[mount["name"]] / mount.get("subPath", "")
            self._true[mount["mountPath"].rstrip("/")] = place
        longest_first = sorted(self._true, key=len, reverse=True)
        self._pattern = re.compile(r"(?<![\w./-])(" + "|".join(map(re.escape, longest_first)) + r")(?![\w.-])")

    def true(self, text: str) -> str:
        """The text with the true paths."""
        return self._pattern.sub(lambda found: str(self._true[found[1]]), text)

    def place(self, path: str) -> Path | None:
        """Where a mounted path is; None where nothing is mounted."""
        return self._true.get(path.rstrip("/"))
