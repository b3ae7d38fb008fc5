"""What keeps a pod's containers from starting."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.support.kube.resources import Json

_NOT_FOUND = (
    'rpc error: code = NotFound desc = failed to pull and unpack image "{image}": '
    'failed to resolve reference "{image}": {image}: not found'
)
MESSAGES = {
    "ContainerCreating": "",
    "ErrImagePull": _NOT_FOUND,
    "ImagePullBackOff": f'Back-off pulling image "{{image}}": ErrImagePull: {_NOT_FOUND}',
    "InvalidImageName": (
        'Failed to apply default image tag "{image}": couldn\'t parse image name "{image}": invalid reference format'
    ),
    "ErrImageNeverPull": 'Container image "{image}" is not present with pull policy of Never',
    "RegistryUnavailable": "image pull failed for {image} because the registry is unavailable.",
    "ImageInspectError": 'Failed to inspect image "{image}": rpc error: code = Unknown desc = timed out',
    "CreateContainerConfigError": 'secret "absent" not found',
    "CreateContainerError": "context deadline exceeded",
    "RunContainerError": "failed to create containerd task: context deadline exceeded",
    "PostStartHookError": "PostStartHookError: command exited with 1",
}
"""Reasons of a kubelet for a container that waits, with its words; ``{image}`` is the container's."""


@dataclass
class Hold:
    """While it holds, the containers of every pod with these labels wait for the reasons, shown in turn.

    The last reason stays. ``release()``: the image is there now, or whatever was in the way is gone.
    """

    reasons: Sequence[str]
    labels: Mapping[str, str]
    message: str | None = None
    released: threading.Event = field(default_factory=threading.Event)

    def release(self) -> None:
        """Let them start."""
        self.released.set()

    def holds(self, pod: Json) -> bool:
        """Whether it keeps this pod."""
        labels = pod["metadata"].get("labels", {})
        return not self.released.is_set() and all(labels.get(name) == value for name, value in self.labels.items())

    def words(self, reason: str, image: str) -> str:
        """What is said for a reason."""
        return self.message if self.message is not None else MESSAGES.get(reason, "").format(image=image)
