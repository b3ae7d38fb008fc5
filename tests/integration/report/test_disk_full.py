from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import psycopg
import pytest

from kubescribe.domain.errors import DatabaseUnavailable
from tests.support.publishing import World, run, small
from tests.support.report_database import PUBLISHER, ReportServer

pytestmark = pytest.mark.integration


@pytest.fixture
def little_space(server: ReportServer) -> Iterator[None]:
    """New tables of the database go to a file system of 8 MiB."""
    folder = Path(tempfile.mkdtemp(prefix="little-"))
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        folder.rmdir()
        pytest.skip("a small file system cannot be mounted here")
    owner = server.cluster.data.stat()
    try:
        folder.chmod(0o711)
        (folder / "space").mkdir()
        shutil.chown(folder / "space", owner.st_uid, owner.st_gid)
        with server.admin() as admin:
            admin.execute(f"CREATE TABLESPACE little LOCATION '{folder / 'space'}'".encode())
            admin.execute(f"GRANT CREATE ON TABLESPACE little TO {PUBLISHER}".encode())
            admin.execute(f'ALTER DATABASE "{server.name}" SET default_tablespace = little'.encode())
        yield
        server.drop()
        with psycopg.connect(server.cluster.url("postgres"), autocommit=True) as connection:
            connection.execute("DROP TABLESPACE little")
    finally:
        subprocess.run(["umount", folder], check=True)
        folder.rmdir()


def test_a_full_disk_leaves_what_was_published(world: World, server: ReportServer, little_space: None) -> None:
    world.published(small(1))
    attempt = world.attempt()
    with pytest.raises(DatabaseUnavailable, match="free space"):
        attempt.stage(pl.DataFrame({"k": range(1_000_000)}).with_columns(t=pl.lit("x" * 20)))
    assert run(world.publisher.staged(attempt.run_id, attempt.attempt_id)) == ()
    assert min(row[0] for row in world.read("airports") or ()) == 1
    attempt.publish(attempt.stage(small(2)))  # what filled the disk is gone again
    assert min(row[0] for row in world.read("airports") or ()) == 2
