"""kubectl, with one kubeconfig."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import yaml

from tests.support.kube.resources import Json

HOW_TO_GET_IT = (
    "the walk over a cluster is made with `kubectl`: have it in PATH (https://kubernetes.io/docs/tasks/tools)"
)


class Refused(Exception):
    """kubectl has failed; the message is its own, with the command."""


class Kubectl:
    """``kubectl("get", "pods")``; raises :class:`Refused`."""

    def __init__(self, kubeconfig: Path | None = None, *, cache: Path | None = None) -> None:
        """``kubeconfig``, ``cache`` (of what clusters know): None for the usual ones."""
        program = shutil.which("kubectl")
        if program is None:
            raise Refused(HOW_TO_GET_IT)
        self._command = [program, *(() if kubeconfig is None else ("--kubeconfig", str(kubeconfig)))]
        self._environment = {**os.environ, **({} if cache is None else {"KUBECACHEDIR": str(cache)})}

    def __call__(self, *arguments: str, given: str | None = None) -> str:
        """What it prints; ``given`` is its standard input."""
        done = subprocess.run(
            [*self._command, *arguments], input=given, env=self._environment, capture_output=True, text=True
        )
        if done.returncode:
            raise Refused(f"kubectl {' '.join(arguments)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def json(self, *arguments: str) -> Json:
        """An object, or a list of them."""
        found: Json = msgspec.json.decode(self(*arguments, "--output", "json"))
        return found

    def listed(self, resource: str, namespace: str, label: str | None = None) -> list[Json]:
        """The objects of a namespace, with a label."""
        chosen = () if label is None else ("--selector", label)
        items: list[Json] = self.json("get", resource, "--namespace", namespace, *chosen)["items"]
        return items

    def apply(self, things: list[Json]) -> None:
        """Server-side, with strict validation."""
        self("apply", "--server-side", "--validate=strict", "--filename", "-", given=yaml.safe_dump_all(things))

    def rendered(self, folder: Path) -> list[Json]:
        """What a kustomization makes."""
        return list(yaml.safe_load_all(self("kustomize", str(folder))))

    @contextmanager
    def forwarded(self, namespace: str, to: str, port: int) -> Iterator[str]:
        """A port of this machine that leads to a port of a pod or Deployment: the URL."""
        command = [*self._command, "--namespace", namespace, "port-forward", "--address", "127.0.0.1", to, f":{port}"]
        process = subprocess.Popen(command, env=self._environment, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            words = process.stdout.readline().split()  # Forwarding from 127.0.0.1:40123 -> 8000
            if len(words) < 3:
                raise Refused(f"kubectl port-forward {to} has ended with {process.wait()}")
            yield f"http://localhost:{words[2].rpartition(':')[2]}"
        finally:
            process.terminate()
            process.wait(10)
