"""A command line on three fresh databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.clusters import Cluster
from tests.support.command_line import CommandLine
from tests.support.three_databases import ThreeDatabases, three_databases


@pytest.fixture
def databases(cluster: Cluster) -> Iterator[ThreeDatabases]:
    """RunLog and report database are migrated; production is empty."""
    with three_databases(cluster) as databases:
        yield databases


@pytest.fixture
def kubescribe(tmp_path: Path, databases: ThreeDatabases) -> CommandLine:
    """The command line, with the pipelines of this folder."""
    return CommandLine(
        tmp_path, databases, KUBESCRIBE_PIPELINES="tests.integration.command_line.pipelines", KUBESCRIBE_GRACE="1s"
    )
