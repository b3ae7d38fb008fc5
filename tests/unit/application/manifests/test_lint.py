"""One test a rule: what is rendered has no finding, and what is changed has its own."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.manifests import REMOVED, a_cron_job, changed

from kubescribe.application.manifests.lint import RULES, problems

JOB = "spec/jobTemplate/spec"
POD = f"{JOB}/template/spec"
RUNNER = f"{POD}/containers/0"

CASES: list[tuple[str, Any, str]] = [
    ("metadata/name", "n" * 53, "metadata.name: has more than 52"),
    ("spec/timeZone", REMOVED, "spec.timeZone: is not set"),
    ("spec/concurrencyPolicy", "Allow", "spec.concurrencyPolicy: is not Forbid"),
    ("spec/concurrencyPolicy", REMOVED, "spec.concurrencyPolicy: is not Forbid"),
    ("spec/schedule", "0 0 31 2 *", "spec.suspend: is not true"),
    ("spec/startingDeadlineSeconds", REMOVED, "spec.startingDeadlineSeconds: is not set"),
    ("spec/startingDeadlineSeconds", 9, "spec.startingDeadlineSeconds: is 9, and below ten"),
    ("spec/startingDeadlineSeconds", 59, "spec.startingDeadlineSeconds: is 59; less than a minute"),
    ("spec/startingDeadlineSeconds", 86400, "spec.startingDeadlineSeconds: is 86400, not less than"),
    ("spec/successfulJobsHistoryLimit", 3, "spec.successfulJobsHistoryLimit: is 3"),
    ("spec/failedJobsHistoryLimit", REMOVED, "spec.failedJobsHistoryLimit: is 1"),
    (f"{JOB}/ttlSecondsAfterFinished", 0, "jobTemplate.ttlSecondsAfterFinished: is set"),
    (f"{JOB}/activeDeadlineSeconds", REMOVED, "jobTemplate.activeDeadlineSeconds: is not set"),
    (f"{JOB}/backoffLimit", REMOVED, "jobTemplate.backoffLimit: is 6, the default"),
    (f"{JOB}/backoffLimit", 4, "jobTemplate.backoffLimit: is 4"),
    (f"{JOB}/podReplacementPolicy", "TerminatingOrFailed", "jobTemplate.podReplacementPolicy: is not Failed"),
    (f"{JOB}/podReplacementPolicy", REMOVED, "jobTemplate.podReplacementPolicy: is not Failed"),
    (f"{POD}/restartPolicy", "OnFailure", "pod.restartPolicy: is not Never"),
    (f"{POD}/terminationGracePeriodSeconds", REMOVED, "pod.terminationGracePeriodSeconds: is below 60"),
    (f"{POD}/terminationGracePeriodSeconds", 59, "pod.terminationGracePeriodSeconds: is below 60"),
    (f"{JOB}/podFailurePolicy/rules/0", REMOVED, "jobTemplate.podFailurePolicy: no rule fails"),
    (f"{JOB}/podFailurePolicy/rules/0/onExitCodes/values", [64, 65, 77], "jobTemplate.podFailurePolicy: no rule fails"),
    (f"{JOB}/podFailurePolicy/rules/0/onExitCodes/containerName", "x", "jobTemplate.podFailurePolicy: no rule fails"),
    (f"{JOB}/podFailurePolicy/rules/1", REMOVED, "jobTemplate.podFailurePolicy: no rule ignores"),
    (f"{JOB}/podFailurePolicy/rules/1/action", "Count", "jobTemplate.podFailurePolicy: no rule ignores"),
    (f"{RUNNER}/terminationMessagePolicy", "FallbackToLogsOnError", "runner.terminationMessagePolicy: is not File"),
    (f"{RUNNER}/resources/limits", REMOVED, "runner.resources.limits.memory: is not set"),
    (f"{POD}/automountServiceAccountToken", REMOVED, "pod.automountServiceAccountToken: is not false"),
    (f"{POD}/enableServiceLinks", REMOVED, "pod.enableServiceLinks: is not false"),
    (f"{POD}/securityContext/runAsNonRoot", REMOVED, "runner.securityContext.runAsNonRoot: is not true"),
    (f"{POD}/securityContext/seccompProfile", REMOVED, "runner.securityContext.seccompProfile: is not"),
    (f"{RUNNER}/securityContext/runAsNonRoot", False, "runner.securityContext.runAsNonRoot: is not true"),
    (f"{RUNNER}/securityContext/privileged", True, "runner.securityContext.privileged: is set"),
    (f"{RUNNER}/securityContext/capabilities", {"drop": ["ALL"], "add": ["NET_RAW"]}, "capabilities: are not dropped"),
    (f"{RUNNER}/securityContext/capabilities", REMOVED, "capabilities: are not dropped"),
    (f"{RUNNER}/securityContext/readOnlyRootFilesystem", REMOVED, "readOnlyRootFilesystem: is not true"),
    (f"{RUNNER}/securityContext/allowPrivilegeEscalation", True, "allowPrivilegeEscalation: is not false"),
    (f"{POD}/hostNetwork", True, "pod.hostNetwork: is set"),
    (f"{POD}/hostPID", True, "pod.hostPID: is set"),
    (f"{POD}/hostIPC", True, "pod.hostIPC: is set"),
    (f"{POD}/volumes/0/emptyDir", {}, "pod.volumes.scratch: has no sizeLimit"),
    (f"{POD}/volumes/0", {"name": "n", "hostPath": {"path": "/"}}, "pod.volumes.n: is a hostPath"),
    (f"{RUNNER}/env/0", {"name": "PROD_DB_URL", "value": "postgresql://x"}, "runner.env.PROD_DB_URL: holds a value"),
    (f"{RUNNER}/args/1", "postgresql://u:p@h/d", "runner.args: hold a URL with a user"),
]


@pytest.mark.parametrize(("path", "value", "finding"), CASES, ids=[f"{one[0]}={one[1]!r}"[:90] for one in CASES])
def test_a_rule(path: str, value: Any, finding: str) -> None:
    found = problems(changed(a_cron_job(), path, value))
    assert len(found) == 1, found
    assert finding in found[0]


def test_each_rule_has_its_case() -> None:
    silent = []
    for rule in RULES:
        if not any(list(rule(changed(a_cron_job(), path, value))) for path, value, _ in CASES):
            silent.append(rule)
    assert silent == []


def test_an_init_container_is_looked_at_as_closely() -> None:
    manifest = changed(a_cron_job(), f"{POD}/initContainers", [{"name": "first", "image": "x"}])
    assert {one.split(":")[0] for one in problems(manifest)} == {
        "pod.initContainers.first.resources.limits.memory",
        "pod.initContainers.first.securityContext.allowPrivilegeEscalation",
        "pod.initContainers.first.securityContext.capabilities",
        "pod.initContainers.first.securityContext.readOnlyRootFilesystem",
    }


@given(
    schedule=st.sampled_from(
        [
            None,
            "* * * * *",
            "*/2 * * * *",
            "0 0,23 * * *",
            "@daily",
            "@every 10s",
            "@every 11s",
            "@every 90m",
            "0 0 29 2 *",
        ]
    ),
    retries=st.integers(0, 3),
    start_deadline=st.floats(0.1, 1e6),
    run_deadline=st.floats(0.1, 1e7),
    name=st.from_regex(r"\A[a-z]([a-z0-9_-]{0,50}[a-z0-9])?\Z"),
)
def test_whatever_is_declared_is_rendered_without_a_finding(name: str, **declared: Any) -> None:
    assert problems(a_cron_job(name=name, **declared)) == ()
