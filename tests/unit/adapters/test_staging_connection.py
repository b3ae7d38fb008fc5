"""How a worker connects to the report database."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import polars as pl
import psycopg
import pytest

from kubescribe.adapters.report.staging import PostgresStaging
from kubescribe.domain.errors import KubescribeError
from kubescribe.domain.report import ReportSpec


@pytest.mark.parametrize(("query", "given"), [("", 10), ("?connect_timeout=4", None)])
def test_a_timeout_in_the_url_comes_first(query: str, given: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def connect(_: str, **options: Any) -> None:
        seen.append(options.get("connect_timeout"))
        raise psycopg.OperationalError("nobody there")

    monkeypatch.setattr(psycopg, "connect", connect)
    staging = PostgresStaging(f"postgresql://u@h/d{query}", schema="reports", application_name="ks")
    with pytest.raises(KubescribeError):
        staging.stage(ReportSpec(name="sales"), iter([pl.DataFrame({"a": [1]})]), run_id=uuid4(), attempt_id=uuid4())
    assert seen == [given]
