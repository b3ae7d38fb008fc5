"""How long after its verdict a failure is told: a real API process, a real mail server, runs of a supervisor."""

from __future__ import annotations

import random
import tempfile
import threading
import time
from pathlib import Path
from statistics import median

import psycopg

from tests.support.api_process import ApiProcess
from tests.support.clusters import Cluster
from tests.support.command_line import CommandLine
from tests.support.smtp_sink import MailSink, mail_sink
from tests.support.three_databases import three_databases
from tests.support.waiting import wait_for

HEADING = "# From a failure to its message"
GOAL = 5.0
"""Seconds, of 95 in a hundred."""
_RULES = '[collect]\nfirst = "0s"\ninterval = "0s"\ntogether = 1\n'


def measured(failures: int) -> dict[str, str]:
    """The figures in Markdown, by the section's heading."""
    dice = random.Random(7)
    with tempfile.TemporaryDirectory() as name, Cluster() as cluster, three_databases(cluster) as databases:
        folder = Path(name)
        (folder / "rules.toml").write_text(_RULES)
        with mail_sink() as sink:
            commands = CommandLine(
                folder,
                databases,
                SMTP_URL=f"smtp://127.0.0.1:{sink.port}?insecure=true",
                NOTIFY_EMAIL="ann@example.org",
                KUBESCRIBE_NOTIFY_RULES=str(folder / "rules.toml"),
            )
            arrived = _watched(sink)
            with ApiProcess(commands):
                for number in range(failures):
                    threading.Event().wait(dice.uniform(0.0, 2.0))
                    commands("exec", "--name", f"pipeline{number}", "--", "false")
                wait_for(lambda: len(sink.received) == failures, "every message to arrive", timeout=60)
            with psycopg.connect(databases.runlog) as connection:
                rows = connection.execute("SELECT id, extract(epoch FROM created_at)::float8 FROM outbox")
                written = [(int(number), float(at)) for number, at in rows]
    took = sorted(arrived[number] - at for number, at in written)
    p95 = took[min(len(took) - 1, round(0.95 * len(took)))]
    text = "\n".join(
        [
            HEADING,
            "",
            f"{failures} failures one after the other, each at a moment of its own; from the outbox row (written with",
            f"the verdict) to the mail in the server's hands. Aimed at: {GOAL:g} s at most in 95 of 100.",
            "",
            "| median | 95 of 100 | longest |",
            "| --- | --- | --- |",
            f"| {median(took):.2f} s | {p95:.2f} s | {took[-1]:.2f} s |",
            "",
        ]
    )
    return {HEADING: text}


def _watched(sink: MailSink) -> dict[int, float]:
    """When the message of each outbox row arrived, by the clock that the database has, too."""
    arrived: dict[int, float] = {}
    take = sink.handle_DATA

    async def handle(server, session, envelope):  # type: ignore[no-untyped-def]
        answer = await take(server, session, envelope)
        number = int(str(sink.received[-1].message["Message-ID"]).removeprefix("<").partition(".")[0])
        arrived.setdefault(number, time.time())
        return answer

    sink.handle_DATA = handle  # type: ignore[method-assign]
    return arrived
