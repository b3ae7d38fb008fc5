"""What must stay light, and what must stay away from sockets."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest
from pytest_socket import SocketBlockedError

HEAVY = ("sqlalchemy", "alembic", "polars", "psycopg", "dependency_injector", "rich", "uuid_utils", "http.client")


def test_the_supervisors_runlog_imports_nothing_heavy() -> None:
    program = (
        "import sys; import kubescribe.adapters.postgres.attempt_log, kubescribe.adapters.system.ids; "
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    asked = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert asked.stdout.strip() == "[]"


def test_a_supervisor_reads_no_schedule() -> None:
    program = (
        "import sys; import kubescribe.application.supervise_attempt, kubescribe.adapters.postgres.attempt_log; "
        "print([name for name in ('kubescribe.domain.cron', 'zoneinfo') if name in sys.modules])"
    )
    asked = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert asked.stdout.strip() == "[]"


def test_rows_that_are_copied_undecoded_do_without_polars() -> None:
    program = (
        "import sys; import kubescribe.adapters.report.staging, kubescribe.adapters.source.postgres, "
        "kubescribe.adapters.source.relaying; print('polars' in sys.modules)"
    )
    asked = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert asked.stdout.strip() == "False"


def test_only_a_schedule_pays_for_reading_schedules_and_only_a_zone_for_zones() -> None:
    program = (
        "import sys; from kubescribe import pipeline\n"
        "def say(): print([n for n in ('kubescribe.domain.cron', 'zoneinfo') if n in sys.modules])\n"
        "def job(run): pass\n"
        "pipeline(job); say(); pipeline(schedule='@daily')(job); say()\n"
        "pipeline(schedule='@daily', timezone='Asia/Tokyo')(job); say()"
    )
    asked = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert asked.stdout.split("\n")[:3] == [
        "[]",
        "['kubescribe.domain.cron']",
        "['kubescribe.domain.cron', 'zoneinfo']",
    ]


def test_a_unit_test_reaches_nobody_not_even_on_loopback() -> None:
    # the refusal is a warning first, and warnings are errors here
    with pytest.raises((SocketBlockedError, UserWarning), match="tried to use socket"):
        socket.create_connection(("127.0.0.1", 9))
