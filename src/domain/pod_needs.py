"""What a pipeline's pod needs of a cluster; on a laptop none of it is looked at."""

from __future__ import annotations

import re

import msgspec

from .errors import BadDeclaration

DEFAULT_MEMORY = "1Gi"
DEFAULT_CPU = "250m"

_QUANTITY = re.compile(r"(\d+)(\.\d+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?", re.ASCII)
_CPU = re.compile(r"(\d+)(\.\d{1,3})?|\d+m", re.ASCII)
_SECRET = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", re.ASCII)
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@-]*", re.ASCII)


class PodNeeds(msgspec.Struct, frozen=True, kw_only=True):
    """Raises :class:`~kubescribe.domain.errors.BadDeclaration` for what Kubernetes would not take."""

    memory: str = DEFAULT_MEMORY
    """Reserved, and the limit: a pod that wants more is killed, and the record says so. As in ``512Mi``, ``2Gi``."""
    cpu: str = DEFAULT_CPU
    """Reserved cores, as in ``500m``, ``2``; not a limit, for a lease has to be renewed on a throttled machine too."""
    image: str | None = None
    """The image that holds the pipeline; None: that of the installation (``KUBESCRIBE_IMAGE``)."""
    secrets: tuple[str, ...] = ()
    """Further Secrets of the namespace whose keys are variables of the pod, beside those of ``KUBESCRIBE_SECRETS``."""

    def __post_init__(self) -> None:
        if not _is_memory(self.memory):
            raise BadDeclaration(f"memory is {self.memory!r}, which is no amount of memory; write it like 512Mi or 2Gi")
        if not isinstance(self.cpu, str) or _CPU.fullmatch(self.cpu) is None or not re.search("[1-9]", self.cpu):
            raise BadDeclaration(f"cpu is {self.cpu!r}, which is no number of cores; write it like '500m' or '2'")
        if self.image is not None and not may_be_an_image(self.image):
            raise BadDeclaration(f"image is {self.image!r}, which names no image")
        for name in self.secrets:
            if not may_be_a_secret(name):
                raise BadDeclaration(f"secrets holds {name!r}, which cannot be the name of a Secret")


def may_be_a_secret(name: object) -> bool:
    """Whether a Secret may be called so."""
    return isinstance(name, str) and _SECRET.fullmatch(name) is not None


def may_be_an_image(name: object) -> bool:
    """Whether it can be an image's name, with or without tag and digest."""
    return isinstance(name, str) and len(name) <= 500 and _IMAGE.fullmatch(name) is not None


def _is_memory(text: object) -> bool:
    match = _QUANTITY.fullmatch(text) if isinstance(text, str) else None
    # Thousandths of a byte are a quantity, and always a slip of the pen.
    return match is not None and match[3] != "m" and re.search("[1-9]", match[0]) is not None
