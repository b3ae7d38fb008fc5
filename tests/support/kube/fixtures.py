"""Fixtures: a control plane for the session, a namespace and nodes for the test."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from .binaries import NoBinaries, find_binaries

if TYPE_CHECKING:  # most sessions have no cluster, and need not import what one is made of
    from .control_plane import ControlPlane
    from .namespace import Namespace
    from .node.image import Image
    from .node.node import Node

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def control_plane() -> Iterator[ControlPlane]:
    """One for each worker that needs it: what a test stops or freezes is nobody else's. It takes about 500 MiB."""
    try:
        find_binaries()
    except NoBinaries as error:
        pytest.skip(str(error))
    from .control_plane import ControlPlane

    with ControlPlane() as plane:
        yield plane


@pytest.fixture
def namespace(control_plane: ControlPlane, request: pytest.FixtureRequest) -> Iterator[Namespace]:
    """The test's own, at the Pod Security level ``restricted``. What runs in it is taken away afterwards."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:40].rstrip("-")
    made = control_plane.namespace(f"{name}-{next(_NUMBERS)}", pod_security="restricted")
    yield made
    made.clear()


@pytest.fixture
def nodes(control_plane: ControlPlane, namespace: Namespace) -> Iterator[Callable[..., Node]]:
    """Makes nodes for the test: ``nodes()``, ``nodes(image=Image(variables={…}))``."""
    from .node.node import Node

    with ExitStack() as ending:
        ending.callback(namespace.clear)

        def make(image: Image | None = None, labels: Mapping[str, str] | None = None) -> Node:
            return ending.enter_context(Node(control_plane, f"node-{next(_NUMBERS)}", image=image, labels=labels))

        yield make
        namespace.clear()


@pytest.fixture
def node(nodes: Callable[..., Node]) -> Node:
    """The test's own node."""
    return nodes()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line how tests that were skipped for want of programs could be run."""
    skipped = [report.longrepr for report in terminalreporter.stats.get("skipped", [])]
    reasons = [each[2] for each in skipped if isinstance(each, tuple) and "KUBEBUILDER_ASSETS" in each[2]]
    if reasons:
        terminalreporter.write_line(f"{len(reasons)} skipped: {reasons[0].removeprefix('Skipped: ')}")
