"""One API process for a module: starting one costs two seconds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.api_process import ApiProcess
from tests.support.clusters import Cluster
from tests.support.command_line import ROOT, CommandLine
from tests.support.three_databases import ThreeDatabases, three_databases


@pytest.fixture(scope="module")
def databases(cluster: Cluster) -> Iterator[ThreeDatabases]:
    with three_databases(cluster) as databases:
        yield databases


@pytest.fixture(scope="module")
def commands(databases: ThreeDatabases, tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    folder: Path = tmp_path_factory.mktemp("api")
    return CommandLine(
        folder, databases, KUBESCRIBE_PIPELINES="tests.support.api_pipelines", PYTHONPATH=f"{ROOT / '.import'}:{ROOT}"
    )


@pytest.fixture(scope="module")
def api(commands: CommandLine) -> Iterator[ApiProcess]:
    with ApiProcess(commands, "--sign-in") as api:
        yield api
