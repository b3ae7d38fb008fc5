"""Declaring a pipeline: the decorator."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any, ParamSpec, Protocol, TypeVar, cast, overload

from ...domain.catch_up import CatchUp
from ...domain.concurrency import Concurrency
from ...domain.dst_policy import Fold, Gap
from ...domain.errors import BadDeclaration, BadSchedule, UnknownTimezone
from ...domain.incident import IncidentTerms
from ...domain.pipeline import DEFAULT_CATCH_UP_LIMIT, DEFAULT_RUN_DEADLINE, Pipeline
from ...domain.pod_needs import DEFAULT_CPU, DEFAULT_MEMORY, PodNeeds
from ...domain.report import check_report_name
from ...domain.schedule_fault import ScheduleFault
from .durations import Duration, seconds_of
from .origin import code_version, place
from .parameters import Parameter
from .promises import RowBounds, promises_of
from .signature import parameters_of, schema_of

P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)
W = TypeVar("W", bound=StrEnum)

_GENERATOR, _COROUTINE, _ASYNC_GENERATOR = 0x20, 0x80, 0x200  # code flags


class PipelineFunction(Protocol[P, R_co]):
    """A function that declares a pipeline; calling it calls the function as it was written."""

    pipeline: Pipeline
    """What it declares."""
    parameters: tuple[Parameter, ...]
    """Its typed arguments after the context."""
    __name__: str
    __module__: str

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Call the function."""
        ...


AnyPipeline = PipelineFunction[..., Any]


class _Decorator(Protocol):
    def __call__(self, function: Callable[P, R_co]) -> PipelineFunction[P, R_co]: ...


@overload
def pipeline(name: Callable[P, R_co], /) -> PipelineFunction[P, R_co]: ...


@overload
def pipeline(
    name: str | None = None,
    *,
    schedule: str | None = None,
    timezone: str = "UTC",
    fold: str = "once",
    gap: str = "run_after",
    catch_up: str = "none",
    catch_up_limit: int | None = None,
    lint_ok: Iterable[str] = (),
    run_deadline: Duration | None = None,
    start_deadline: Duration = "5m",
    retries: int = 0,
    retry_delay: Duration = 0,
    reports: Iterable[str] | None = None,
    snapshot: str = "run",
    concurrency: str = "allow",
    finish_by: Duration | None = None,
    run_at_most: Duration | None = None,
    fresh_within: Duration | Mapping[str, Duration] | None = None,
    rows_between: Mapping[str, RowBounds] | None = None,
    incident_after: int = 1,
    recover_after: int = 1,
    memory: str = DEFAULT_MEMORY,
    cpu: str | float = DEFAULT_CPU,
    image: str | None = None,
    secrets: Iterable[str] = (),
) -> _Decorator: ...


def pipeline(
    name: Any = None,
    *,
    schedule: str | None = None,
    timezone: str = "UTC",
    fold: str = "once",
    gap: str = "run_after",
    catch_up: str = "none",
    catch_up_limit: int | None = None,
    lint_ok: Iterable[str] = (),
    run_deadline: Duration | None = None,
    start_deadline: Duration = "5m",
    retries: int = 0,
    retry_delay: Duration = 0,
    reports: Iterable[str] | None = None,
    snapshot: str = "run",
    concurrency: str = "allow",
    finish_by: Duration | None = None,
    run_at_most: Duration | None = None,
    fresh_within: Duration | Mapping[str, Duration] | None = None,
    rows_between: Mapping[str, RowBounds] | None = None,
    incident_after: int = 1,
    recover_after: int = 1,
    memory: str = DEFAULT_MEMORY,
    cpu: str | float = DEFAULT_CPU,
    image: str | None = None,
    secrets: Iterable[str] = (),
) -> Any:
    """Declare a pipeline: a function whose first argument is the :class:`~kubescribe.Context`.

    The other arguments are the run's parameters: each needs a type that JSON can hold. ``name`` is the function's
    unless given, the description is the docstring. ``reports`` are the reports that it writes, ``()`` for none: what
    is declared is checked. ``schedule`` and ``timezone`` are read as Kubernetes reads them; what clock changes do to
    slots is ``fold`` and ``gap`` (:mod:`~kubescribe.domain.dst_policy`), what becomes of missed ones ``catch_up``
    (:class:`~kubescribe.domain.catch_up.CatchUp`), what ``kubescribe schedule lint`` need not say ``lint_ok``
    (:class:`~kubescribe.domain.schedule_fault.ScheduleFault`). ``finish_by``, ``run_at_most``, ``fresh_within`` and
    ``rows_between`` are promises (:class:`~kubescribe.domain.promise.Promises`): a broken one is an incident, even if
    nothing ran. ``incident_after`` failed runs in a row are an incident, too, ``recover_after`` successful ones end
    it. ``memory``, ``cpu``, ``image`` and ``secrets`` are its pod's on a
    cluster (:class:`~kubescribe.domain.pod_needs.PodNeeds`). Raises
    :class:`~kubescribe.domain.errors.BadDeclaration` where it cannot work.
    """

    def declare(function: Callable[..., Any]) -> AnyPipeline:
        where = _check_function(function)
        parameters = parameters_of(function)
        declared = Pipeline(
            name=function.__name__ if name is None else name,
            description=_description(function),
            schedule=schedule,
            timezone=_timezone(schedule, timezone, where),
            fold=_word(Fold, fold, "fold", where),
            gap=_word(Gap, gap, "gap", where),
            catch_up=_word(CatchUp, catch_up, "catch_up", where),
            catch_up_limit=_catch_up_limit(catch_up_limit, catch_up, where),
            parameters=schema_of(parameters, where),
            lint_ok=tuple(_word(ScheduleFault, one, "lint_ok", where) for one in _texts(lint_ok)),
            reports=_reports(reports, where),
            run_deadline=DEFAULT_RUN_DEADLINE
            if run_deadline is None
            else seconds_of(run_deadline, "run_deadline", where),
            start_deadline=seconds_of(start_deadline, "start_deadline", where),
            retries=retries,
            retry_delay=seconds_of(retry_delay, "retry_delay", where),
            snapshot=snapshot,
            promises=promises_of(
                finish_by=finish_by,
                run_at_most=run_at_most,
                fresh_within=fresh_within,
                rows_between=rows_between,
                reports=None if reports is None else _reports(reports, where),
                schedule=schedule,
                where=where,
            ),
            incidents=IncidentTerms(incident_after=incident_after, recover_after=recover_after),
            concurrency=_word(Concurrency, concurrency, "concurrency", where),
            pod=_pod(memory, cpu, image, secrets, where),
            location=where,
            code_version=code_version(function),
        )
        decorated = cast(AnyPipeline, function)
        decorated.pipeline, decorated.parameters = declared, parameters
        return decorated

    if callable(name):  # @pipeline, without parentheses
        function, name = name, None
        return declare(function)
    return declare


def _check_function(function: Any) -> str:
    code = getattr(function, "__code__", None)
    if code is None:
        raise BadDeclaration(f"@pipeline wants a function, and {function!r} is a {type(function).__name__}")
    where = place(function)
    if code.co_flags & (_GENERATOR | _COROUTINE | _ASYNC_GENERATOR):
        raise BadDeclaration(
            f"{where}: it is async or yields, and would do nothing when called; write a plain function"
        )
    return where


def _description(function: Callable[..., Any]) -> str:
    """The docstring without its indentation."""
    first, newline, rest = (function.__doc__ or "").strip().partition("\n")
    if not newline:
        return first
    import textwrap

    return f"{first}\n{textwrap.dedent(rest)}".strip()


def _word(kind: type[W], word: str, what: str, where: str) -> W:
    try:
        return kind(word)
    except ValueError:
        words = ", ".join(f"'{one}'" for one in kind)
        raise BadDeclaration(f"{where}: {what} is {word!r}, and may be one of {words}") from None


def _catch_up_limit(limit: int | None, catch_up: str, where: str) -> int:
    if limit is None:
        return DEFAULT_CATCH_UP_LIMIT
    if not isinstance(limit, int) or isinstance(limit, bool):
        raise BadDeclaration(f"{where}: catch_up_limit is {limit!r}, and has to be a number of slots")
    if catch_up != CatchUp.ALL:
        raise BadDeclaration(
            f"{where}: catch_up_limit is {limit}, and catch_up is {catch_up!r}; only catch_up='all' has a limit"
        )
    return limit


def _texts(one_or_more: Iterable[str]) -> tuple[str, ...]:
    return (one_or_more,) if isinstance(one_or_more, str) else tuple(one_or_more)


def _pod(memory: str, cpu: str | float, image: str | None, secrets: Iterable[str], where: str) -> PodNeeds:
    cores = f"{cpu:g}" if isinstance(cpu, (int, float)) else cpu
    names = _texts(secrets)
    try:
        return PodNeeds(memory=memory, cpu=cores, image=image, secrets=names)
    except BadDeclaration as error:
        raise BadDeclaration(f"{where}: {error}") from None


def _reports(reports: Iterable[str] | None, where: str) -> tuple[str, ...] | None:
    if reports is None:
        return None
    names = _texts(reports)
    for name in names:
        try:
            check_report_name(name)
        except (BadDeclaration, TypeError) as error:
            raise BadDeclaration(f"{where}: {error}") from None
        if names.count(name) > 1:
            raise BadDeclaration(f"{where}: report {name} is declared twice")
    return names


def _timezone(schedule: str | None, name: str, where: str) -> str:
    """The zone, once it and the schedule have been found good."""
    if schedule is None and name == "UTC":
        return name
    from ...domain.schedule import Schedule, find_zone  # every worker imports this module, and few ask for more

    try:
        if schedule is None:
            find_zone(name)
        elif isinstance(schedule, str):
            Schedule(schedule, name)
        else:
            raise BadDeclaration(f"schedule is {schedule!r}, and has to be text like '15 5 * * *'")
    except (BadDeclaration, BadSchedule, UnknownTimezone) as error:
        raise BadDeclaration(f"{where}: {error}") from None
    return name
