"""What containers and volumes are filled from: secrets, config maps, service account tokens."""

from __future__ import annotations

import base64

from tests.support.kube.resources import BY_NAME, Json

from .connection import Connection


class NotThere(Exception):
    """Something that a container needs is not there; in the kubelet's words."""


class Sources:
    """Reads with the node's rights."""

    def __init__(self, connection: Connection, allocatable: Json) -> None:
        self._connection = connection
        self.allocatable = allocatable

    async def values(self, kind: str, pod: Json, reference: Json) -> dict[str, bytes] | None:
        """The content of a secret or config map; None where it is not there and optional. Raises :class:`NotThere`."""
        name = str(reference.get("name") or reference["secretName"])
        found = await self._connection.get(kind, name, pod["metadata"]["namespace"])
        if found is None:
            if reference.get("optional"):
                return None
            raise NotThere(f'{kind.removesuffix("s")} "{name}" not found')
        encoded = found.get("data", {}) if kind == "secrets" else found.get("binaryData", {})
        plain = found.get("data", {}) if kind == "configmaps" else {}
        return {
            **{key: base64.b64decode(value) for key, value in encoded.items()},
            **{key: value.encode() for key, value in plain.items()},
        }

    async def token(self, pod: Json, projection: Json) -> bytes:
        """A token of the pod's service account, bound to the pod."""
        metadata, spec = pod["metadata"], pod["spec"]
        path = BY_NAME["serviceaccounts"].path(metadata["namespace"], spec["serviceAccountName"], "token")
        bound = {"kind": "Pod", "apiVersion": "v1", "name": metadata["name"], "uid": metadata["uid"]}
        wanted: Json = {"expirationSeconds": projection.get("expirationSeconds", 3600), "boundObjectRef": bound}
        if "audience" in projection:
            wanted["audiences"] = [projection["audience"]]
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": wanted}
        answer = await self._connection.persist("POST", path, request)
        return str(answer["status"]["token"]).encode()
