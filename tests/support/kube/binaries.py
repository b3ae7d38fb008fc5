"""Where the control plane's programs are."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
HOW_TO_GET_THEM = (
    "the tests against Kubernetes need {missing}: set KUBEBUILDER_ASSETS to a folder with "
    f"{', '.join(PROGRAMS)} (1.33 or newer; `setup-envtest use -p path` gets the first two), or have them in PATH"
)


class NoBinaries(Exception):
    """Some program is not there; the message says how to get it."""


def find_binaries() -> dict[str, Path]:
    """Each program's path, by its name: from ``KUBEBUILDER_ASSETS`` (the convention of envtest), else from PATH.

    Raises :class:`NoBinaries`.
    """
    folder = os.environ.get("KUBEBUILDER_ASSETS")
    search = os.pathsep.join(filter(None, (folder, os.environ.get("PATH"))))
    found = {name: shutil.which(name, path=search) for name in PROGRAMS}
    missing = [name for name, path in found.items() if path is None]
    if missing:
        raise NoBinaries(HOW_TO_GET_THEM.format(missing=", ".join(missing)))
    return {name: Path(path) for name, path in found.items() if path is not None}
