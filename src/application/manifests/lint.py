"""What is wrong with a CronJob of ours: rendered here, patched by an overlay, or changed in the cluster.

Each rule is a function that yields what it found, as ``where: what, and why it matters``. What an API server adds as a
default is no finding; what it would add, where ours has to say otherwise, is one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ...domain.errors import BadSchedule
from ...domain.job_names import CONCURRENCY, NO_SCHEDULE
from ...domain.schedule_density import shortest_interval
from .cron_job import SHORTEST_START, history
from .installation import Manifest
from .job_template import CONTAINER, MOST_RETRIES, SHORTEST_GRACE, USELESS_TO_REPEAT

Rule = Callable[[Manifest], Iterator[str]]

_CODES = sorted(code.value for code in USELESS_TO_REPEAT)
_LONGEST_NAME = 52
_SECRET_NAME = re.compile(r"(_URL|_PASSWORD|_TOKEN|_SECRET|_KEY)$")


def problems(cron_job: Manifest) -> tuple[str, ...]:
    """All findings, in the order of the rules; none where all is well."""
    return tuple(found for rule in RULES for found in rule(cron_job))


def _schedule(cron_job: Manifest) -> Iterator[str]:
    spec = cron_job["spec"]
    if len(cron_job["metadata"]["name"]) > _LONGEST_NAME:
        yield f"metadata.name: has more than {_LONGEST_NAME} characters, and a Job's name needs eleven more"
    if not spec.get("timeZone"):
        yield "spec.timeZone: is not set, so that slots follow the clock of whatever machine the controller runs on"
    beside = CONCURRENCY in (cron_job["metadata"].get("annotations") or {})
    if spec.get("concurrencyPolicy", "Allow") not in ("Forbid", *(["Allow"] if beside else [])):
        yield "spec.concurrencyPolicy: is not Forbid, so that a run that takes long meets the next one"
    if spec["schedule"] == NO_SCHEDULE and not spec.get("suspend"):
        yield f"spec.suspend: is not true, and {NO_SCHEDULE!r} is of a pipeline that runs when it is asked for"


def _starting_deadline(cron_job: Manifest) -> Iterator[str]:
    spec = cron_job["spec"]
    seconds = spec.get("startingDeadlineSeconds")
    where = "spec.startingDeadlineSeconds"
    if seconds is None:
        yield f"{where}: is not set, so that after a hundred missed slots Kubernetes starts none any more"
        return
    interval = _interval(spec["schedule"])
    if seconds < SHORTEST_START.total_seconds():
        yield f"{where}: is {seconds}, and below ten seconds a slot may never be started"
    elif seconds < min(60, interval - 1):
        yield f"{where}: is {seconds}; less than a minute is over when the controller is started anew"
    if seconds >= interval > SHORTEST_START.total_seconds():
        yield f"{where}: is {seconds}, not less than the {interval} s to the next slot: two would be due at once"


def _history(cron_job: Manifest) -> Iterator[str]:
    spec = cron_job["spec"]
    needed = history(None if spec["schedule"] == NO_SCHEDULE else spec["schedule"])
    for name, default in (("successfulJobsHistoryLimit", 3), ("failedJobsHistoryLimit", 1)):
        kept = spec.get(name, default)
        if kept < needed:
            yield f"spec.{name}: is {kept}, and an hour without RunLog needs {needed}: a deleted Job is lost evidence"
    if _job(cron_job).get("ttlSecondsAfterFinished") is not None:
        yield "jobTemplate.ttlSecondsAfterFinished: is set; Jobs are deleted once RunLog has them, and not by a clock"


def _ending(cron_job: Manifest) -> Iterator[str]:
    job = _job(cron_job)
    if not job.get("activeDeadlineSeconds"):
        yield "jobTemplate.activeDeadlineSeconds: is not set, and a pod that hangs blocks its schedule for ever"
    retries = job.get("backoffLimit")
    if retries is None or not 0 <= retries <= MOST_RETRIES:
        shown = "6, the default" if retries is None else retries
        yield f"jobTemplate.backoffLimit: is {shown}, not between 0 and {MOST_RETRIES}"
    if job.get("podReplacementPolicy") != "Failed":
        yield "jobTemplate.podReplacementPolicy: is not Failed, so that two pods of one run work at once"
    if _pod(cron_job).get("restartPolicy") != "Never":
        yield "pod.restartPolicy: is not Never, and a container that starts again hides how it ended before"
    if _pod(cron_job).get("terminationGracePeriodSeconds", 30) < SHORTEST_GRACE.total_seconds():
        yield "pod.terminationGracePeriodSeconds: is below 60, too little for a worker's end and its record"


def _failure_policy(cron_job: Manifest) -> Iterator[str]:
    rules = _job(cron_job).get("podFailurePolicy", {}).get("rules", [])
    where = "jobTemplate.podFailurePolicy"
    wanted = {"containerName": CONTAINER, "operator": "In", "values": _CODES}
    failing = [_sorted_values(rule.get("onExitCodes")) for rule in rules if rule.get("action") == "FailJob"]
    if wanted not in failing:
        yield f"{where}: no rule fails the Job at once on the exit codes {_CODES}, which no further attempt changes"
    ignoring = [rule.get("onPodConditions") or [] for rule in rules if rule.get("action") == "Ignore"]
    if not any(one.get("type") == "DisruptionTarget" for conditions in ignoring for one in conditions):
        yield f"{where}: no rule ignores DisruptionTarget, so that drained nodes use up the attempts"


def _reporting(cron_job: Manifest) -> Iterator[str]:
    for name, container in _containers(cron_job):
        if container.get("terminationMessagePolicy", "File") != "File":
            yield f"{name}.terminationMessagePolicy: is not File; what a pipeline prints may hold secrets"
        if not container.get("resources", {}).get("limits", {}).get("memory"):
            yield f"{name}.resources.limits.memory: is not set, and one pod can starve its node"


def _rights(cron_job: Manifest) -> Iterator[str]:
    pod = _pod(cron_job)
    if pod.get("automountServiceAccountToken") is not False:
        yield "pod.automountServiceAccountToken: is not false, and a pipeline has no business with the API server"
    if pod.get("enableServiceLinks") is not False:
        yield "pod.enableServiceLinks: is not false, and a Service's variables can be taken for settings"
    security = pod.get("securityContext", {})
    for name, container in _containers(cron_job):
        own = container.get("securityContext", {})
        merged = {**security, **own}
        if merged.get("runAsNonRoot") is not True:
            yield f"{name}.securityContext.runAsNonRoot: is not true"
        if merged.get("seccompProfile", {}).get("type") != "RuntimeDefault":
            yield f"{name}.securityContext.seccompProfile: is not RuntimeDefault"
        if own.get("allowPrivilegeEscalation") is not False:
            yield f"{name}.securityContext.allowPrivilegeEscalation: is not false"
        if own.get("privileged"):
            yield f"{name}.securityContext.privileged: is set"
        if own.get("capabilities", {}) != {"drop": ["ALL"]}:
            yield f"{name}.securityContext.capabilities: are not dropped, all of them"
        if own.get("readOnlyRootFilesystem") is not True:
            yield f"{name}.securityContext.readOnlyRootFilesystem: is not true"
    for flag in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(flag):
            yield f"pod.{flag}: is set, and the node is none of a pipeline's"


def _volumes(cron_job: Manifest) -> Iterator[str]:
    for volume in _pod(cron_job).get("volumes", []):
        name = f"pod.volumes.{volume['name']}"
        if "emptyDir" in volume and not (volume["emptyDir"] or {}).get("sizeLimit"):
            yield f"{name}: has no sizeLimit, and one pod can fill its node's disk"
        if "hostPath" in volume:
            yield f"{name}: is a hostPath, and the node is none of a pipeline's"


def _secrets(cron_job: Manifest) -> Iterator[str]:
    for name, container in _containers(cron_job):
        for variable in container.get("env", []):
            if _SECRET_NAME.search(variable["name"]) and variable.get("value"):
                yield f"{name}.env.{variable['name']}: holds a value, and a secret belongs in a Secret"
        if any("://" in text and "@" in text for text in (*container.get("command", ()), *container.get("args", ()))):
            yield f"{name}.args: hold a URL with a user, which everybody can read who sees the pod"


RULES: Sequence[Rule] = (
    _schedule,
    _starting_deadline,
    _history,
    _ending,
    _failure_policy,
    _reporting,
    _rights,
    _volumes,
    _secrets,
)


def _job(cron_job: Manifest) -> Manifest:
    job: Manifest = cron_job["spec"]["jobTemplate"]["spec"]
    return job


def _pod(cron_job: Manifest) -> Manifest:
    pod: Manifest = _job(cron_job)["template"]["spec"]
    return pod


def _containers(cron_job: Manifest) -> Iterator[tuple[str, Manifest]]:
    pod = _pod(cron_job)
    for kind in ("initContainers", "containers"):
        for container in pod.get(kind, []):
            yield f"pod.{kind}.{container['name']}", container


def _sorted_values(codes: Any) -> Any:
    return {**codes, "values": sorted(codes["values"])} if codes else codes


def _interval(expression: str) -> int:
    try:
        return int(shortest_interval(expression).total_seconds())
    except BadSchedule:  # of somebody else's CronJob: the API server has its own word on that
        return 24 * 3600
