"""Every scenario in every world; those with the tag ``api`` through the API too, with ``api_only`` only so.

On a cluster all of them, but for those with the tag ``not_on_cluster``, which say in a comment why; and those with
``cluster_only`` there alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.clusters import Cluster
from tests.support.three_databases import three_databases

from .api_worlds import MemoryApiWorld, PostgresApiWorld
from .cluster_world import ClusterWorld
from .memory_world import MemoryWorld
from .postgres_world import PostgresWorld
from .steps.story import Story
from .world import World

if TYPE_CHECKING:  # most sessions have no cluster
    from tests.support.kube.control_plane import ControlPlane

    from .cluster_stage import ClusterStage

_COMMANDS = ("memory", "postgres")
_API = ("memory-api", "postgres-api")
_MARKS = {
    "postgres": (pytest.mark.integration,),
    "postgres-api": (pytest.mark.integration,),
    "cluster": (pytest.mark.cluster,),
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    tags = {mark.name for mark in metafunc.definition.iter_markers()}
    names = (*(() if "api_only" in tags else _COMMANDS), *(_API if tags & {"api", "api_only"} else ()))
    names = () if "cluster_only" in tags else names
    names = names if "not_on_cluster" in tags else (*names, "cluster")
    worlds = [pytest.param(name, marks=_MARKS.get(name, ()), id=name) for name in names]
    metafunc.parametrize("world", worlds, indirect=True)


@pytest.fixture
def story() -> Story:
    """What happened so far in the scenario."""
    return Story()


@pytest.fixture(scope="module")
def stage(
    control_plane: ControlPlane, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ClusterStage]:
    """What the scenarios on a cluster share; gone with the last of them, for its node would take others' pods."""
    from .cluster_stage import ClusterStage

    with ClusterStage(control_plane, cluster, tmp_path_factory.mktemp("stage")) as stage:
        yield stage


@pytest.fixture(autouse=True)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """The world of this scenario."""
    match request.param:
        case "memory":
            yield MemoryWorld()
        case "memory-api":
            over = MemoryApiWorld()
            with over.client:
                yield over
        case "cluster":
            stage: ClusterStage = request.getfixturevalue("stage")
            stage.sweep()
            yield ClusterWorld(stage, tmp_path)
        case name:
            with three_databases(request.getfixturevalue("cluster")) as databases:
                if name == "postgres":
                    yield PostgresWorld(tmp_path, databases)
                    return
                behind = PostgresApiWorld(tmp_path, databases)
                with behind.client:
                    yield behind
