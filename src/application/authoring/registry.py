"""Finding pipelines: in the modules named by a setting, and in installed packages."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

from ...domain.errors import BadDeclaration, KubescribeError, PipelineNotFound
from ...domain.pipeline import Pipeline
from .declaration import AnyPipeline
from .failure import Abandoned

GROUP = "kubescribe.pipelines"
"""The entry-point group: each names a module, or a decorated function."""

_OURS = str(Path(__file__).parents[2])
_STANDARD = str(Path(os.__file__).parent)


class Registry:
    """The pipelines of some modules. A value, not a global: two of them know nothing of each other."""

    def __init__(self, functions: Iterable[AnyPipeline] = (), *, entry_points: bool = False) -> None:
        self._functions: dict[str, AnyPipeline] = {}
        self._entry_points = entry_points
        for function in functions:
            self.add(function)

    @classmethod
    def load(cls, modules: Sequence[str], entry_points: bool = True) -> Registry:
        """Import each module, and take the pipelines that it defines or imports.

        Entry points are looked at when a name is not found in the modules, or all are asked for: looking through
        everything that is installed costs more than many a run. Raises :class:`BadDeclaration` for a module that
        cannot be imported, and for two pipelines of one name.
        """
        registry = cls(entry_points=entry_points)
        for name in modules:
            for function in _declared_in(import_module(name)):
                registry.add(function)
        return registry

    def add(self, function: AnyPipeline) -> None:
        """Take one more; the same one again changes nothing."""
        name = function.pipeline.name
        known = self._functions.setdefault(name, function)
        if known is not function:
            raise BadDeclaration(
                f"two pipelines are called {name}: {known.pipeline.location} and {function.pipeline.location}"
            )

    def get(self, name: str) -> AnyPipeline:
        """The function of this pipeline; raises :class:`PipelineNotFound` with the nearest names."""
        if name not in self._functions:
            self._load_entry_points()
        if name not in self._functions:
            from difflib import get_close_matches

            raise PipelineNotFound(name, tuple(get_close_matches(name, self._functions)), len(self._functions))
        return self._functions[name]

    def pipelines(self) -> tuple[Pipeline, ...]:
        """All declarations, by name."""
        self._load_entry_points()
        return tuple(self._functions[name].pipeline for name in sorted(self._functions))

    def _load_entry_points(self) -> None:
        if not self._entry_points:
            return
        self._entry_points = False
        from importlib.metadata import entry_points

        for point in entry_points(group=GROUP):
            module = import_module(point.module)
            if not point.attr:
                found = _declared_in(module)
            else:
                try:
                    target = point.load()
                except AttributeError as error:
                    raise BadDeclaration(f"entry point {point.name} of {GROUP}: {error}") from None
                if not _is_pipeline(target):
                    raise BadDeclaration(f"entry point {point.name} of {GROUP}: {point.value} is no pipeline")
                found = iter((target,))
            for function in found:
                self.add(function)


def import_module(name: str) -> ModuleType:
    """Import a module of the user's; raises :class:`BadDeclaration` with the error and the user's own line."""
    try:
        return importlib.import_module(name)
    except (KubescribeError, KeyboardInterrupt, Abandoned):
        raise
    except SystemExit as error:
        if not isinstance(error.code, int) or error.code < 128:  # not SIGTERM's
            raise BadDeclaration(f"module {name} ended the process when it was imported{_line(error)}") from None
        raise
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise BadDeclaration(
                f"there is no module {name}; modules are looked for in {Path.cwd()} and among what is installed"
            ) from None
        raise _broken(name, error) from None
    except BaseException as error:
        raise _broken(name, error) from None


def _broken(name: str, error: BaseException) -> BadDeclaration:
    what = str(error).replace("\0", "\\0")[:1000]
    if isinstance(error, SyntaxError):
        place = f" ({error.filename}:{error.lineno})" if error.filename else ""
        return BadDeclaration(f"module {name} cannot be imported: {type(error).__name__}: {error.msg}{place}")
    said = f"{type(error).__name__}: {what}" if what else type(error).__name__
    return BadDeclaration(f"module {name} cannot be imported: {said}{_line(error)}")


def _line(error: BaseException) -> str:
    """The last line of the user's that led to the error: what is installed, and what is ours, is not theirs."""
    last = None
    frame: TracebackType | None = error.__traceback__
    while frame is not None:
        file = frame.tb_frame.f_code.co_filename
        foreign = file.startswith(("<", _OURS, _STANDARD)) or "site-packages" in file
        if not foreign:
            last = f" ({file}:{frame.tb_lineno})"
        frame = frame.tb_next
    return last or ""


def _declared_in(module: ModuleType) -> Iterator[AnyPipeline]:
    for value in list(vars(module).values()):
        if _is_pipeline(value):
            yield value


def _is_pipeline(value: Any) -> bool:
    # By its own dictionary: a module may hold objects that answer to every name.
    return isinstance(getattr(value, "__dict__", {}).get("pipeline"), Pipeline) and callable(value)
