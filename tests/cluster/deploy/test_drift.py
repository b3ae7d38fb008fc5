"""``kubescribe drift`` against a real API server, with the defaults that it adds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kubescribe.entrypoints.cli.main import main
from tests.support.kube.control_plane import ControlPlane
from tests.support.kube.namespace import Namespace

MODULE = """
from kubescribe import Context, pipeline

@pipeline(schedule="15 5 * * *", timezone="Europe/Berlin", retries=2)
def nightly_totals(run: Context) -> None:
    "Every night."

@pipeline
def asked(run: Context) -> None:
    "When asked."
"""
Told = tuple[int, str, str]


@pytest.fixture
def drift(
    control_plane: ControlPlane,
    namespace: Namespace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., Told]:
    (tmp_path / "drifting_jobs.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("KUBESCRIBE_PIPELINES", "drifting_jobs")
    monkeypatch.setenv("KUBESCRIBE_NAMESPACE", namespace.name)
    monkeypatch.setenv("KUBECONFIG", str(control_plane.kubeconfig("kubescribe-admin", "system:masters")))

    def run(command: str = "drift") -> Told:
        code = main([command])
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


def test_what_was_rendered_and_applied_has_none_until_somebody_changes_it(
    drift: Callable[..., Told], namespace: Namespace
) -> None:
    import yaml

    code, _, err = drift()
    assert code == 65
    assert "3 missing" in err
    for thing in yaml.safe_load_all(drift("manifests")[1]):
        namespace.create(thing)
    assert drift() == (0, f"2 CronJobs in {namespace.name} are as they are declared\n", "")

    namespace.api.patch("cronjobs", "nightly-totals", {"spec": {"suspend": True}}, namespace.name)
    assert drift()[0] == 0
    pod = {"spec": {"hostNetwork": True}}
    change = {"spec": {"jobTemplate": {"spec": {"template": pod}}}}
    namespace.api.patch("cronjobs", "nightly-totals", change, namespace.name)
    code, out, err = drift()
    assert code == 65
    assert [line.split() for line in out.splitlines() if line.startswith("-  ")] == [["-", "hostNetwork:", "true"]]
    assert "nightly-totals: pod.hostNetwork: is set" in out
    assert "1 changed, 1 against the rules" in err


def test_a_cluster_that_does_not_answer_is_a_temporary_failure(
    drift: Callable[..., Told], control_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kubeconfig = control_plane.kubeconfig("kubescribe-admin", "system:masters").read_text()
    (tmp_path / "nobody").write_text(kubeconfig.replace(f":{control_plane.port}", ":1"))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "nobody"))
    code, _, err = drift()
    assert code == 75
    assert "the cluster does not answer" in err
