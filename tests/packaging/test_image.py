"""The image: what is in it, and that both of its commands work from it without a writable root.

``KUBESCRIBE_TEST_IMAGE`` names one that ``make image`` has built. ``KUBESCRIBE_TEST_RUN`` is how a container is run
(default: ``podman run``), for machines on which that needs more words.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.clusters import Cluster
from tests.support.kube.control_plane import free_port
from tests.support.waiting import wait_for

IMAGE = os.environ.get("KUBESCRIBE_TEST_IMAGE", "")
RUN = shlex.split(os.environ.get("KUBESCRIBE_TEST_RUN", "podman run"))
LOCK = Path(__file__).parents[2] / "requirements-image.lock"
CONFINED = [
    *("--rm", "--network", "host", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL"),
    *("--security-opt", "no-new-privileges"),
]

pytestmark = [
    pytest.mark.packaging,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not IMAGE, reason="KUBESCRIBE_TEST_IMAGE names no image; `make image` builds one"),
    pytest.mark.skipif(shutil.which(RUN[0]) is None, reason=f"there is no {RUN[0]} to run the image with"),
]


def command(*arguments: str, **options: str) -> list[str]:
    """The command line of a container; options are variables of its environment, but for ``entrypoint``."""
    program = ["--entrypoint", options.pop("entrypoint")] if "entrypoint" in options else []
    variables = [word for name, value in options.items() for word in ("--env", f"{name}={value}")]
    return [*RUN, *CONFINED, *program, *variables, IMAGE, *arguments]


def said(*arguments: str, **options: str) -> str:
    done = subprocess.run(command(*arguments, **options), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def asked(program: str) -> str:
    """What a program of Python's prints in there."""
    return said("-c", program, entrypoint="python").strip()


def test_it_is_nobody_and_can_write_nothing() -> None:
    assert asked("import os; print(os.getuid(), os.getgid(), os.getcwd())") == "65532 65532 /srv"
    program = "import os\nfor place in ('/srv', '/opt/kubescribe', '/'): print(os.access(place, os.W_OK))"
    assert asked(program).split() == ["False"] * 3


def test_it_has_no_tools_to_make_anything_with() -> None:
    program = (
        "import shutil; print([name for name in ('pip', 'pip3', 'gcc', 'cc', 'make', 'git') if shutil.which(name)])"
    )
    assert asked(program) == "[]"
    assert asked("import os; print(sorted(os.listdir('/opt/kubescribe/bin')))").count("kubescribe") == 1


def test_nothing_in_it_lends_its_owners_rights() -> None:
    program = """
import os, stat
for folder, _, files in os.walk("/"):
    if folder.startswith(("/proc", "/sys", "/dev")):
        continue
    for name in files:
        mode = os.lstat(os.path.join(folder, name)).st_mode
        if stat.S_ISREG(mode) and mode & (stat.S_ISUID | stat.S_ISGID):
            print(os.path.join(folder, name))
"""
    assert asked(program) == ""


def test_every_module_is_compiled() -> None:
    program = """
import importlib.util, os, sysconfig
for folder, _, files in os.walk(sysconfig.get_path("purelib")):
    for name in files:
        source = os.path.join(folder, name)
        if name.endswith(".py") and not os.path.exists(importlib.util.cache_from_source(source)):
            print(source)
"""
    assert asked(program) == ""


def test_what_is_installed_is_what_the_lock_says() -> None:
    """S-28: so the list of parts that is made of the image is that of the lock."""
    program = """
import json, platform
from importlib.metadata import distributions
print(json.dumps([{one.name: one.version for one in distributions()}, platform.python_version()]))
"""
    installed, python = json.loads(asked(program))
    versions = {"python_full_version": python, "python_version": ".".join(python.split(".")[:2])}
    wanted = {}
    for line in LOCK.read_text().splitlines():
        if "==" in line and not line.startswith((" ", "#")):
            one = Requirement(line.removesuffix("\\"))
            if one.marker is None or one.marker.evaluate(versions):
                wanted[canonicalize_name(one.name)] = str(one.specifier).removeprefix("==")
    found = {canonicalize_name(name): version for name, version in installed.items() if name != "kubescribe"}
    assert found == wanted
    assert "kubescribe" in installed


@pytest.fixture(scope="module")
def variables() -> Iterator[dict[str, str]]:
    """Where the databases are."""
    with Cluster(scram=True) as cluster:
        for name in ("runlog", "production", "report"):
            with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name}")
        yield {
            "RUNLOG_DB_URL": cluster.url("runlog"),
            "PROD_DB_URL": cluster.url("production"),
            "REPORT_DB_URL": cluster.url("report"),
            "KUBESCRIBE_PIPELINES": "examples.hello.pipeline",
            "KUBESCRIBE_HOME": "/tmp/kubescribe",
        }


@pytest.mark.integration
def test_both_of_its_commands_work(variables: dict[str, str]) -> None:
    assert "is up to date now" in said("migrate", **variables)
    said("run", "hello", **variables)
    (run,) = json.loads(said("runs", "--json", **variables))
    assert (run["pipeline"], run["status"]) == ("hello", "succeeded")
    with psycopg.connect(variables["REPORT_DB_URL"]) as report:
        found = report.execute("SELECT count(*) FROM reports.tables_by_schema WHERE schema = 'pg_catalog'").fetchone()
    assert found == (1,)

    port = str(free_port())
    serving = subprocess.Popen(command("api", "--port", port, **variables), stdout=subprocess.PIPE, text=True)
    try:
        address = f"http://127.0.0.1:{port}/readyz"

        def ready() -> bool:
            assert serving.poll() is None, "the API has ended"
            try:
                return httpx.get(address, trust_env=False).status_code == 200
            except httpx.TransportError:
                return False

        wait_for(ready, "the API to be ready", timeout=60, every=0.2)
    finally:
        serving.send_signal(signal.SIGTERM)
        assert serving.wait(60) == 0
        assert serving.stdout is not None
        serving.stdout.close()
