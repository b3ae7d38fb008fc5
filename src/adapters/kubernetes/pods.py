"""What a pod's status says of its end, or of what keeps it from starting, in KubeScribe's words and Kubernetes' own."""

from __future__ import annotations

import re
import signal
from typing import NamedTuple

import msgspec

from ...domain.attempt import DeathCertificate
from ...domain.exit_code import ExitCode
from ...domain.failure import FailureCause
from ...domain.job_names import POD_UID_VARIABLE
from ...domain.summary import Summary
from .objects import Condition, Container, ContainerStatus, Pod, PodSpec, Terminated

_DISRUPTIONS = {
    "PreemptionByScheduler": FailureCause.PREEMPTED,
    "DeletionByTaintManager": FailureCause.NODE_LOST,
    "DeletionByPodGC": FailureCause.NODE_LOST,
    "EvictionByEvictionAPI": FailureCause.EVICTED,
    "TerminationByKubelet": FailureCause.EVICTED,
}
_POD_REASONS = {
    "Evicted": FailureCause.EVICTED,
    "Preempting": FailureCause.PREEMPTED,
    "Terminated": FailureCause.NODE_LOST,  # the node was shut down in order
    "NodeShutdown": FailureCause.NODE_LOST,
    "Shutdown": FailureCause.NODE_LOST,
    "NodeLost": FailureCause.NODE_LOST,
    "NodeAffinity": FailureCause.UNSCHEDULABLE,
    "DeadlineExceeded": FailureCause.RUN_DEADLINE,
    "UnexpectedAdmissionError": FailureCause.CONFIG_ERROR,
}
_CONTAINER_REASONS = {
    "OOMKilled": FailureCause.OOM_KILLED,
    "StartError": FailureCause.CONFIG_ERROR,
    "ContainerCannotRun": FailureCause.CONFIG_ERROR,
    "ContainerStatusUnknown": FailureCause.NODE_LOST,
}
_OUR_CODES = {
    ExitCode.USAGE: FailureCause.CONFIG_ERROR,
    ExitCode.PRECONDITION: FailureCause.PRECONDITION,
    ExitCode.TEMPORARY: FailureCause.UNAVAILABLE,
    ExitCode.FENCED: FailureCause.FENCED,
    ExitCode.REFUSED: FailureCause.FENCED,
}
AT_ONCE, SOON = 0.0, 30.0
"""Seconds after which what is wrong is taken for good; a ConfigMap may come a moment after the pod that needs it."""
_WAITING: dict[str, tuple[FailureCause, float | None]] = {
    "InvalidImageName": (FailureCause.IMAGE_PULL, AT_ONCE),
    "ErrImageNeverPull": (FailureCause.IMAGE_PULL, AT_ONCE),
    "ErrImagePull": (FailureCause.IMAGE_PULL, None),
    "ImagePullBackOff": (FailureCause.IMAGE_PULL, None),
    "ImageInspectError": (FailureCause.IMAGE_PULL, None),
    "RegistryUnavailable": (FailureCause.IMAGE_PULL, None),
    "SignatureValidationFailed": (FailureCause.IMAGE_PULL, None),
    "CreateContainerConfigError": (FailureCause.CONFIG_ERROR, SOON),
    "CreateContainerError": (FailureCause.CONFIG_ERROR, SOON),
    "RunContainerError": (FailureCause.CONFIG_ERROR, SOON),
    "CrashLoopBackOff": (FailureCause.CONFIG_ERROR, None),
}
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)(m|k|Ki|[MGTPE]i?)?")
_UNITS = {"m": 1e-3, "k": 1e3, "Ki": 1024.0}
_UNITS |= {letter: 1000.0**power for power, letter in enumerate("MGTPE", 2)}
_UNITS |= {f"{letter}i": 1024.0**power for power, letter in enumerate("MGTPE", 2)}


class HeldBack(NamedTuple):
    """Why a pod has not started."""

    certificate: DeathCertificate
    hopeless_after: float | None
    """Seconds of this after which nothing can come of it any more; None: something still may."""


def supervised(spec: PodSpec) -> Container | None:
    """The container with a supervisor of ours; None: there is none."""
    return next((one for one in spec.containers if POD_UID_VARIABLE in one.variables), None)


def main_container(spec: PodSpec) -> Container | None:
    """The one whose end is the pod's: a supervisor's or, without one, the first."""
    return supervised(spec) or next(iter(spec.containers), None)


def main_status(pod: Pod) -> ContainerStatus | None:
    """Of the main container."""
    main = main_container(pod.spec)
    statuses = pod.status.container_statuses or ()
    return next((one for one in statuses if main is not None and one.name == main.name), None)


def terminated(pod: Pod) -> Terminated | None:
    """How its main container ended; None: it has not, or nobody says."""
    status = main_status(pod)
    return status.state.terminated if status is not None and status.state is not None else None


def is_over(pod: Pod) -> bool:
    """Whether it has ended for good: nothing of it runs."""
    return pod.status.phase in ("Succeeded", "Failed")


def summary_of(pod: Pod) -> Summary | None:
    """What its supervisor left; None: it left nothing, or somebody else did."""
    ended = terminated(pod)
    if ended is None or not ended.message or supervised(pod.spec) is None:
        return None
    try:
        found = msgspec.json.decode(ended.message, type=Summary)
    except (msgspec.MsgspecError, ValueError):
        return None
    return found if found.attempt_id == pod.metadata.uid else None


def ended(pod: Pod) -> DeathCertificate:
    """How a pod ended that is over; cause None: with exit code 0, and nothing that speaks against it."""
    cause, reason, message = _end(pod)
    end = terminated(pod)
    code = end.exit_code if end is not None else None
    number = (end.signal if end is not None and end.signal else None) or (
        code - 128 if code is not None and 128 < code <= 192 else None
    )
    return DeathCertificate(
        cause=cause,
        exit_code=code,
        signal=None if number is None else _signal_name(number),
        memory_limit=memory_limit(pod),
        message=message,
        reason=reason,
        pod=pod.metadata.name,
        node=pod.spec.node_name,
    )


def _end(pod: Pod) -> tuple[FailureCause | None, str | None, str]:
    disruption = condition(pod.status.conditions, "DisruptionTarget")
    if disruption is not None:
        cause = _DISRUPTIONS.get(disruption.reason or "", FailureCause.EVICTED)
        if pod.status.phase != "Succeeded":
            return cause, pod.status.reason or disruption.reason, _joined(pod.status.message, disruption.message)
    end = terminated(pod)
    if pod.status.reason and pod.status.phase != "Succeeded":
        cause = _POD_REASONS.get(pod.status.reason) or (
            FailureCause.UNSCHEDULABLE if pod.status.reason.startswith("OutOf") else FailureCause.UNKNOWN
        )
        return cause, pod.status.reason, _joined(pod.status.message) or f"its pod ended: {pod.status.reason}"
    if end is None:
        said = "its pod ended well" if pod.status.phase == "Succeeded" else "its pod failed, and nothing says how"
        return None if pod.status.phase == "Succeeded" else FailureCause.UNKNOWN, None, said
    if end.reason in _CONTAINER_REASONS:
        said = f"its container ended with exit code {end.exit_code}, and Kubernetes says {end.reason}"
        cause = _CONTAINER_REASONS[end.reason]
        limit = memory_limit(pod)
        if cause is FailureCause.OOM_KILLED and limit is not None:
            said = f"{said}: it went over its memory limit of {limit} bytes"
        told = end.message if supervised(pod.spec) is None or cause is not FailureCause.OOM_KILLED else None
        return cause, end.reason, _joined(said, told)
    if end.exit_code == 0:
        return None, end.reason, "its container ended with exit code 0"
    if supervised(pod.spec) is not None and end.exit_code in _OUR_CODES:
        return _OUR_CODES[ExitCode(end.exit_code)], end.reason, f"its supervisor ended with exit code {end.exit_code}"
    number = end.signal or (end.exit_code - 128 if 128 < end.exit_code <= 192 else 0)
    if number:
        return FailureCause.SIGNAL, end.reason, f"its container was ended by {_signal_name(number)}"
    return FailureCause.EXIT_CODE, end.reason, f"its container ended with exit code {end.exit_code}"


def held_back(pod: Pod) -> HeldBack | None:
    """What keeps a pod from starting; None: nothing that its status says."""
    scheduled = condition(pod.status.conditions, "PodScheduled", "False")
    if scheduled is not None and pod.spec.node_name is None:
        words = f"no node takes it: {scheduled.message or scheduled.reason or 'nobody says why'}"
        return _held(pod, FailureCause.UNSCHEDULABLE, scheduled.reason, words, None)
    for status in (*(pod.status.init_container_statuses or ()), *(pod.status.container_statuses or ())):
        waiting = status.state.waiting if status.state is not None else None
        if waiting is not None and waiting.reason in _WAITING:
            cause, after = _WAITING[waiting.reason]
            words = f"container {status.name} cannot start: {waiting.reason}"
            return _held(pod, cause, waiting.reason, _joined(words, waiting.message), after)
    return None


def _held(pod: Pod, cause: FailureCause, reason: str | None, message: str, after: float | None) -> HeldBack:
    certificate = DeathCertificate(
        cause=cause, reason=reason, message=message, pod=pod.metadata.name, node=pod.spec.node_name
    )
    return HeldBack(certificate, after)


def condition(conditions: tuple[Condition, ...] | None, kind: str, status: str = "True") -> Condition | None:
    """The condition of this type, where it has this status."""
    return next((one for one in conditions or () if one.type == kind and one.status == status), None)


def memory_limit(pod: Pod) -> int | None:
    """Bytes that its main container may have; None where nothing is said."""
    main = main_container(pod.spec)
    limits = main.resources.limits if main is not None and main.resources is not None else None
    found = _QUANTITY.fullmatch(str((limits or {}).get("memory", "")))
    size = 0.0 if found is None else float(found[1]) * _UNITS.get(found[2], 1.0)
    return int(size) if 0 < size < 2**63 else None


def _joined(*words: str | None) -> str:
    return ": ".join(word.strip().rstrip(".") for word in words if word)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
