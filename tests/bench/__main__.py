"""``make bench``: what KubeScribe costs, beside something to compare with, measured in the same minutes.

Ratios first, for they travel from machine to machine; absolute figures are this machine's, with this load.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import NamedTuple

import psycopg

from kubescribe.adapters.postgres.migrate import migrate
from tests.support.addresses import asyncpg_address
from tests.support.clusters import Cluster

from . import api, cluster, data_plane, slots, voice
from .measuring import Cost, Memory, cost, memory

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "benchmarks.md"
GOALS = "at most 0.6 s wall, 0.5 s CPU, 80 MiB for supervisor and worker together"
HEADING = "# What a run costs beside its work"
MEMORY_ROUNDS = 3
PYTHON = sys.executable
KUBESCRIBE = [PYTHON, "-m", "kubescribe.entrypoints.cli.main"]
SUBJECTS = {
    "python -c pass": [PYTHON, "-c", "pass"],
    "psycopg, two inserts": [PYTHON, str(Path(__file__).with_name("two_inserts.py"))],
    "kubescribe exec -- true": [*KUBESCRIBE, "exec", "--", "true"],
    "kubescribe run nothing": [*KUBESCRIBE, "run", "nothing"],
}
REFERENCE, SUBJECT = "psycopg, two inserts", "kubescribe run nothing"


class Figures(NamedTuple):
    """Of one subject: medians, and the spread of the wall times."""

    wall: float
    cpu: float
    fastest: float
    slowest: float
    held: Memory


def measured(environment: Mapping[str, str], folder: Path, rounds: int) -> dict[str, Figures]:
    """Every subject in every round, one after the other, so that a busy minute is everybody's."""
    costs: dict[str, list[Cost]] = {name: [] for name in SUBJECTS}
    for command in SUBJECTS.values():
        cost(command, environment, folder)  # the files are in the cache, and compiled
    for number in range(rounds):
        for name, command in SUBJECTS.items():
            costs[name].append(cost(command, environment, folder))
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
    figures = {}
    for name, command in SUBJECTS.items():
        held = [memory(command, environment, folder) for _ in range(MEMORY_ROUNDS)]
        walls = [one.wall for one in costs[name]]
        figures[name] = Figures(
            median(walls),
            median(one.cpu for one in costs[name]),
            min(walls),
            max(walls),
            Memory(max(one.pss for one in held), max(one.rss for one in held)),
        )
    return figures


def page(figures: Mapping[str, Figures], rounds: int) -> str:
    """The figures in Markdown."""
    reference, ours = figures[REFERENCE], figures[SUBJECT]
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    versions = ", ".join(f"{name} {version(name)}" for name in ("kubescribe", "asyncpg", "msgspec", "psycopg"))
    rows = [
        f"| {name} | {one.wall:.3f} | {one.fastest:.3f}–{one.slowest:.3f} | {one.cpu:.3f} "
        f"| {one.held.pss / 2**20:.1f} | {one.held.rss / 2**20:.1f} |"
        for name, one in figures.items()
    ]
    return "\n".join(
        [
            HEADING,
            "",
            f"`{SUBJECT}` against `{REFERENCE}`, measured beside it: "
            f"{ours.wall / reference.wall:.2f} × the wall time, {ours.cpu / reference.cpu:.2f} × the CPU, "
            f"{ours.held.pss / reference.held.pss:.2f} × the memory.",
            "",
            "| | wall s | fastest–slowest | CPU s | PSS MiB | RSS MiB |",
            "| --- | ---: | ---: | ---: | ---: | ---: |",
            *rows,
            "",
            f"Medians of {rounds} interleaved rounds; memory is the largest of {MEMORY_ROUNDS} further ones, all "
            "processes of the tree together. `nothing` is an empty pipeline without reports, recorded in a PostgreSQL "
            "on loopback; CPU is that of supervisor and worker. "
            f"The goals: {GOALS}.",
            "",
            f"{datetime.now(UTC):%Y-%m-%d}: {os.cpu_count()} cores ({platform.machine()}), load {load}, "
            f"Python {platform.python_version()}, {versions}. `make bench` measures again.",
            "",
        ]
    )


def main() -> None:
    """Measure, and print; with ``--write`` into ``docs/benchmarks.md`` too."""
    arguments = argparse.ArgumentParser(prog="make bench", description=__doc__)
    arguments.add_argument("--rounds", type=int, default=9)
    arguments.add_argument("--write", action="store_true", help=f"renew {PAGE.relative_to(ROOT)}")
    arguments.add_argument(
        "--only", choices=("start", "data", "api", "cluster", "slots", "voice"), help="what is measured"
    )
    arguments.add_argument("--data-rounds", type=int, default=5)
    arguments.add_argument("--scale", default=os.environ.get("KUBESCRIBE_BENCH_SCALE", "0.05"), help="of TPC-H")
    arguments.add_argument(
        "--no-peers", action="store_true", help="leave Dagster, dlt and pandas out, which take minutes"
    )
    arguments.add_argument("--runs", type=int, default=1_000_000, help="that the API's RunLog has")
    arguments.add_argument("--peer-runs", type=int, default=100_000, help="that Dagster's has")
    arguments.add_argument("--api-rounds", type=int, default=3)
    arguments.add_argument("--importtime", action="store_true", help="show where supervisor and worker import, instead")
    arguments.add_argument("--triggers", type=int, default=10_000, help="under faults of the API server")
    arguments.add_argument("--failures", type=int, default=100, help="of which people are told")
    arguments.add_argument("--jobs", type=int, default=5_000, help="that a pass looks at")
    arguments.add_argument("--parts", nargs="+", choices=cluster.PARTS, default=cluster.PARTS, help="of the cluster's")
    args = arguments.parse_args()
    peers = not args.no_peers
    if args.only in (None, "start"):
        _start(args)
    if args.only in (None, "data") and not args.importtime:
        with tempfile.TemporaryDirectory() as folder:
            _tell(data_plane.measured(args.data_rounds, args.scale, Path(folder), peers=peers), write=args.write)
    if args.only in (None, "api") and not args.importtime:
        with tempfile.TemporaryDirectory() as folder:
            counts = {"runs": args.runs, "peer_runs": args.peer_runs}
            _tell(api.measured(args.api_rounds, Path(folder), **counts, peers=peers), write=args.write)
    if args.only in (None, "slots") and not args.importtime:
        _tell({slots.HEADING: slots.measured(1_000)[0]}, write=args.write)
    if args.only in (None, "cluster") and not args.importtime:
        _tell(cluster.measured(args.rounds // 3, args.triggers, args.jobs, tuple(args.parts)), write=args.write)
    if args.only in (None, "voice") and not args.importtime:
        _tell(voice.measured(args.failures), write=args.write)


def _tell(sections: Mapping[str, str], *, write: bool) -> None:
    for heading, text in sections.items():
        print(text)
        if write:
            renew(heading, text)


def renew(heading: str, text: str) -> None:
    """Put the section that begins with the heading into the page, in the place of the one that is there."""
    before = PAGE.read_text() if PAGE.exists() else ""
    sections = [f"# {section}" for section in f"\n{before}".split("\n# ")[1:]]
    others = [section.rstrip() + "\n" for section in sections if not section.startswith(heading)]
    PAGE.write_text("\n".join([*others, text]))


def _start(args: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder, Cluster() as cluster:
        url = cluster.create_database("bench")
        asyncio.run(migrate(asyncpg_address(url)))
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE bench (kind text NOT NULL)")
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "HOME", "USER") if name in os.environ}
        environment = {
            **kept,
            "RUNLOG_DB_URL": url,
            "KUBESCRIBE_PIPELINES": "tests.bench.pipelines",
            "PYTHONPATH": str(ROOT),
        }
        if args.importtime:
            command = [PYTHON, "-X", "importtime", *SUBJECTS[SUBJECT][1:]]
            os.spawnve(os.P_WAIT, PYTHON, command, {**os.environ, **environment, "PYTHONPROFILEIMPORTTIME": "1"})
            return
        text = page(measured(environment, Path(folder), args.rounds), args.rounds)
    print(text)
    if args.write:
        renew(HEADING, text)


if __name__ == "__main__":
    main()
