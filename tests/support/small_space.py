"""File systems that are soon full, and tablespaces on them."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from .clusters import Cluster


class SmallSpace:
    """A file system of a few MiB."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Use up what is left, to the last block."""
        with self._ballast.open("wb") as file:
            size = 2**20
            while size:
                try:
                    os.write(file.fileno(), b"x" * size)
                except OSError:
                    size //= 2

    def free(self) -> None:
        """Give it back."""
        self._ballast.unlink(missing_ok=True)


@contextmanager
def small_space(mebibytes: int) -> Iterator[SmallSpace]:
    """Mounted until the end of the block; the test is skipped where nothing can be mounted."""
    folder = Path(tempfile.mkdtemp(prefix="small-"))
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=0711", "tmpfs", folder], capture_output=True
    )
    if mounted.returncode:
        folder.rmdir()
        pytest.skip("a small file system cannot be mounted here: that takes root and CAP_SYS_ADMIN")
    try:
        yield SmallSpace(folder)
    finally:
        subprocess.run(["umount", folder], check=True)
        folder.rmdir()


@contextmanager
def small_tablespace(cluster: Cluster, database: str, *, role: str = "", mebibytes: int = 8) -> Iterator[SmallSpace]:
    """All new tables of the database go there; the database is dropped at the end. ``role``: who makes them."""
    with small_space(mebibytes) as space:
        owner, place = cluster.data.stat(), space.folder / "space"
        place.mkdir()
        shutil.chown(place, owner.st_uid, owner.st_gid)
        with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE TABLESPACE small LOCATION '{place}'".encode())
            if role:
                connection.execute(f"GRANT CREATE ON TABLESPACE small TO {role}".encode())
            connection.execute(f'ALTER DATABASE "{database}" SET default_tablespace = small'.encode())
            yield space
            cluster.drop_database(database)
            connection.execute("DROP TABLESPACE small")
