"""How many faults of which category a campaign has survived, in words."""

from __future__ import annotations

from collections import Counter

from kubescribe.domain.mode import Mode
from tests.support.world import DATABASES


def summary(acts: Counter[str]) -> str:
    """Of what was done in cases that held; ``acts`` as in ``World.acts`` and ``ReportHistory.published``."""
    retried, given_up = acts["stops with a retry"], acts["stops without one"]
    if blows := {name.removeprefix("cluster: "): acts[name] for name in sorted(acts) if name.startswith("cluster: ")}:
        ends = ", ".join(f"{acts[name]} {name[len('ended ') :]}" for name in sorted(acts) if name.startswith("ended "))
        return f"{sum(blows.values())} faults: {', '.join(f'{name} {n}' for name, n in blows.items())}; runs: {ends}"
    crashes = {name: acts[f"crashes of {name}"] for name in DATABASES}
    if triggers := {name: acts[name] for name in sorted(acts) if " answered " in name}:
        answers = ", ".join(f"{name} {count}" for name, count in triggers.items())
        return f"kills of the API {acts['kills of the API']}, crashes of RunLog {crashes['runlog']}; {answers}"
    cuts = sum(acts[f"cuts of {name}"] for name in DATABASES)
    return (
        f"kills {acts['kills']}, stopped and continued {retried + given_up} ({retried} with retry), "
        f"database crashes {sum(crashes.values())} "
        f"({', '.join(f'{name} {count}' for name, count in crashes.items())}), connections cut at COMMIT {cuts}\n"
        f"published: {', '.join(f'{mode} {acts[mode.value]}' for mode in Mode)}; "
        f"columns added {acts['columns added']}, made anew {acts['made anew']}"
    )
