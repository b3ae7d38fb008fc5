"""What `kubescribe migrate` prints needs no database."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubescribe.entrypoints.cli.main import main


@pytest.fixture(autouse=True)
def apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_grants_of_the_report_database(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBESCRIBE_REPORT_SCHEMA", "published")
    assert main(["migrate", "--grants", "jobs", 'odd "one']) == 0
    told = capsys.readouterr().out
    assert 'GRANT SELECT, INSERT ON kubescribe.publication TO "jobs";' in told
    assert 'GRANT USAGE, CREATE ON SCHEMA "published" TO "jobs";' in told
    assert 'GRANT USAGE ON SCHEMA "published" TO "odd ""one";' in told


def test_the_grants_are_no_migration(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["migrate", "--sql", "report", "--grants", "jobs", "readers"])
    assert ended.value.code == 64
    assert "not allowed with" in capsys.readouterr().err
