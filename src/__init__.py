"""KubeScribe: declare a pipeline, read production, hand over reports.

This is the public authoring API. It stays light: a name's module is imported when the name is first used, and no
adapter, driver or polars with it.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing's own costs an import, and every process of ours begins here
if TYPE_CHECKING:
    from .application.authoring.context import Context
    from .application.authoring.declaration import pipeline
    from .application.authoring.failure import GiveUp, Retry
    from .domain.checks import between, not_null, rows, sql, unique

__all__ = ["Context", "GiveUp", "Retry", "between", "not_null", "pipeline", "rows", "sql", "unique"]

_HOMES = {
    "Context": "application.authoring.context",
    "GiveUp": "application.authoring.failure",
    "Retry": "application.authoring.failure",
    "between": "domain.checks",
    "not_null": "domain.checks",
    "pipeline": "application.authoring.declaration",
    "rows": "domain.checks",
    "sql": "domain.checks",
    "unique": "domain.checks",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
