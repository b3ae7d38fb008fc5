"""What a pipeline may declare."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kubescribe.domain.errors import BadDeclaration
from kubescribe.domain.pipeline import Pipeline


@pytest.mark.parametrize("name", ["a", "flights", "airport_delays", "a-b-c", "a1", "a" * 52])
def test_good_names(name: str) -> None:
    assert Pipeline(name=name).name == name


@pytest.mark.parametrize("name", ["", "A", "1a", "-a", "_a", "a-", "a_", "a.b", "a b", "ä", "a\n", "a" * 53, "a/b"])
def test_bad_names(name: str) -> None:
    with pytest.raises(BadDeclaration, match="cannot name a pipeline") as raised:
        Pipeline(name=name, location="jobs:flights (jobs.py:7)")
    assert repr(name) in str(raised.value)
    assert "jobs.py:7" in str(raised.value)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"retries": -1}, "retries is -1, which is less than 0"),
        ({"retry_delay": -0.5}, "retry_delay is -0.5, which is less than 0"),
        ({"run_deadline": 0.0}, "run_deadline is 0.0 s, which leaves no time"),
        ({"start_deadline": -3.0}, "start_deadline is -3.0 s, which leaves no time"),
        ({"snapshot": "none"}, "snapshot is 'none', not 'run' or 'read'"),
    ],
)
def test_bad_declarations(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(BadDeclaration) as raised:
        Pipeline(name="flights", location="jobs.py:7", **wrong)
    assert str(raised.value) == f"pipeline flights: {says} (jobs.py:7)"


@pytest.mark.parametrize(("reports", "may"), [((), False), (None, True), (("delays",), True)])
def test_who_may_publish(reports: tuple[str, ...] | None, may: bool) -> None:
    assert Pipeline(name="flights", reports=reports).may_publish is may


def test_every_pipeline_has_a_deadline() -> None:
    assert Pipeline(name="flights").run_deadline == 86_400


def test_through_json_and_back() -> None:
    declared = Pipeline(name="flights", schedule="15 5 * * *", reports=("delays",), retries=2, snapshot="read")
    assert msgspec.json.decode(msgspec.json.encode(declared), type=Pipeline) == declared
