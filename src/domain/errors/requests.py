"""Requests to start, cancel, retry or pause that are refused."""

from __future__ import annotations

from .base import ConfigurationError


class BadRequestKey(ConfigurationError):
    """An Idempotency-Key cannot be kept."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(f"the Idempotency-Key cannot be used: {why}")


class KeyReused(ConfigurationError):
    """An Idempotency-Key came again with another request."""

    def __init__(self, key: str, run_id: object) -> None:
        self.key, self.run_id = key, run_id
        super().__init__(
            f"the Idempotency-Key {key} was used already, for run {run_id}, and that request was another one; "
            "give a new request a new key"
        )


class CancelRefused(ConfigurationError):
    """A run that has ended cannot be cancelled."""

    def __init__(self, run_id: object, status: str) -> None:
        self.run_id, self.status = run_id, status
        super().__init__(f"run {run_id} has ended already: it is {status}, and stays so; there is nothing to cancel")


class RetryRefused(ConfigurationError):
    """A run cannot be retried."""

    def __init__(self, run_id: object, why: str) -> None:
        self.run_id, self.why = run_id, why
        super().__init__(f"run {run_id} cannot be retried: {why}")


class NotPaused(ConfigurationError):
    """A pipeline that is not paused cannot be resumed."""

    def __init__(self, pipeline: str) -> None:
        self.pipeline = pipeline
        super().__init__(f"pipeline {pipeline} is not paused; there is nothing to resume")


class PauseRefused(ConfigurationError):
    """A pause would be over before it begins."""

    def __init__(self, pipeline: str, until: object) -> None:
        self.pipeline, self.until = pipeline, until
        super().__init__(f"pipeline {pipeline} cannot be paused until {until}, which is not in the future")
