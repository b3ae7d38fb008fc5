"""What is wrong with a pipeline as it was declared."""

from __future__ import annotations

from .base import ConfigurationError


class BadSchedule(ConfigurationError):
    """A cron expression cannot be read, or Kubernetes would not take it."""

    def __init__(self, expression: str, why: str) -> None:
        super().__init__(f"schedule {expression!r} cannot be used: {why}")
        self.expression = expression
        self.why = why


class UnknownTimezone(ConfigurationError):
    """There is no such time zone."""

    def __init__(self, name: object) -> None:
        super().__init__(f"there is no time zone {name!r}; write one like Europe/Berlin")
        self.name = name


class BadDeclaration(ConfigurationError):
    """A pipeline or a report is declared in a way that cannot work."""


class PipelineNotFound(ConfigurationError):
    """There is no such pipeline."""

    def __init__(self, name: str, nearest: tuple[str, ...], known: int) -> None:
        self.name, self.nearest = name, nearest
        if nearest:
            hint = f"did you mean {' or '.join(nearest)}?"
        elif known:
            hint = "`kubescribe pipelines` lists them"
        else:
            hint = "no pipeline is known at all: set KUBESCRIBE_PIPELINES=module[,module]"
        super().__init__(f"there is no pipeline {name}; {hint}")


class BadParameters(ConfigurationError):
    """A parameter is unknown, missing or of the wrong type."""

    def __init__(self, pipeline: str, problems: tuple[str, ...]) -> None:
        self.pipeline, self.problems = pipeline, problems
        super().__init__(f"pipeline {pipeline}: {'; '.join(problems)}")
