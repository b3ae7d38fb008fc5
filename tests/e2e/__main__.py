"""``make e2e KUBECONFIG=… IMAGE=…``: install, walk, remove."""

from __future__ import annotations

import argparse
import sys
import time
import uuid
from pathlib import Path

from .client import Client
from .installation import Installation
from .kubectl import Kubectl, Refused
from .walk import Walk


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.e2e", description=__doc__)
    parser.add_argument("--image", required=True, help="KubeScribe's image, as the cluster's nodes find it")
    parser.add_argument("--kubeconfig", type=Path, help="where the cluster is (default: as kubectl finds it)")
    parser.add_argument("--keep", action="store_true", help="leave everything on the cluster, to look at it")
    given = parser.parse_args()
    try:
        kubectl = Kubectl(given.kubeconfig)
        installation = Installation(kubectl, f"ks-e2e-{uuid.uuid4().hex[:6]}", given.image)
        print(f"installing into {installation.namespace} and {installation.runs}", flush=True)
        with installation.installed(keep=given.keep):
            try:
                _walk(installation)
            except (AssertionError, Refused, OSError):
                _tell(installation)
                raise
    except Refused as error:
        print(error, file=sys.stderr)
        return 1
    except AssertionError as error:
        print(f"failed: {error}", file=sys.stderr)
        return 1
    return 0


def _walk(installation: Installation) -> None:
    kubectl = installation.kubectl
    token = kubectl(
        *("--namespace", installation.namespace, "exec", "deployment/kubescribe-api", "--"),
        *("kubescribe", "token", "create", "e2e", "--role", "admin"),
    ).strip()
    with kubectl.forwarded(installation.namespace, "deployment/kubescribe-api", 8000) as url:
        for step in Walk(Client(url, token), kubectl, installation.runs).steps():
            began = time.monotonic()
            seen = step()
            print(f"{step.__name__:12} {time.monotonic() - began:5.1f} s  {seen}", flush=True)


def _tell(installation: Installation) -> None:
    """What somebody needs who was not there."""
    for namespace in (installation.namespace, installation.runs):
        print(installation.kubectl("--namespace", namespace, "get", "all,events"), file=sys.stderr)
    words = ("--namespace", installation.namespace, "logs", "deployment/kubescribe-api", "--tail=100")
    print(installation.kubectl(*words), file=sys.stderr)


sys.exit(main())
