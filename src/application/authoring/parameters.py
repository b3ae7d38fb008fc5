"""The parameters of a pipeline: the typed arguments of its function after the context.

``msgspec`` gives their JSON Schema and converts them strictly. Text from a command line is read by the type: for
``str`` it is taken as it is; else as msgspec reads text laxly (``3``, ``1.10``, ``2013-01-01``; ``true``, ``false``,
``1`` and ``0`` for a bool), and where that fails as JSON (``["a","b"]``). Where None is allowed, ``null`` is None.
"""

from __future__ import annotations

import copy
import typing
from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from ...domain.errors import BadParameters
from ...domain.nearest import did_you_mean
from ...domain.pipeline import Pipeline

REQUIRED = object()
"""In place of a default."""
_SHOWN = 60


class Parameter:
    """One parameter: its type, its default, and how a value for it is read."""

    def __init__(self, name: str, kind: Any, default: Any = REQUIRED) -> None:
        self.name, self.type, self._default = name, kind, default

    @property
    def required(self) -> bool:
        """Whether it has to be given."""
        return self._default is REQUIRED

    def default(self) -> Any:
        """A value of its own for each run: a list that one changes is not the next one's."""
        return copy.deepcopy(self._default)

    def read(self, value: Any, *, from_text: bool) -> Any:
        """The value in the parameter's type; raises ``ValueError`` with what is wrong."""
        converted = self._from_text(value) if from_text and isinstance(value, str) else self._strict(value)
        try:  # what JSON cannot hold (NaN) would be another value in the record
            kept = msgspec.json.decode(msgspec.json.encode(converted), type=self.type)
        except (msgspec.MsgspecError, TypeError, ValueError):
            raise ValueError("it cannot be kept in JSON") from None
        if kept != converted:
            raise ValueError("it cannot be kept in JSON")
        return converted

    def _strict(self, value: Any) -> Any:
        return msgspec.convert(value, self.type, strict=True)

    def _from_text(self, text: str) -> Any:
        if self.type is str:
            return text
        if self.type is Any:
            return _json(text, Any, otherwise=text)
        if text == "null" and type(None) in typing.get_args(self.type):
            return None
        try:
            return msgspec.convert(text, self.type, strict=False)
        except msgspec.ValidationError as error:
            structured = text.lstrip()[:1] in ("[", "{", '"')
            try:
                return msgspec.convert(msgspec.json.decode(text), self.type, strict=False)
            except msgspec.DecodeError as wrong:
                raise (wrong if structured else error) from None


class Declaring(Protocol):
    """What has parameters: a decorated function."""

    pipeline: Pipeline
    parameters: tuple[Parameter, ...]


def convert(function: Declaring, given: Mapping[str, Any], *, from_text: bool) -> dict[str, Any]:
    """The function's arguments, defaults filled in; raises one :class:`BadParameters` with every problem.

    ``from_text``: text values are a command line's. Without it they are strict: what a run's record holds, in JSON.
    """
    known = {parameter.name: parameter for parameter in function.parameters}
    problems = [
        f"there is no parameter {name}{did_you_mean(name, known) or _known(known)}"
        for name in given
        if name not in known
    ]
    values: dict[str, Any] = {}
    for parameter in function.parameters:
        if parameter.name in given:
            value = given[parameter.name]
            try:
                values[parameter.name] = parameter.read(value, from_text=from_text)
            except (msgspec.MsgspecError, ValueError, TypeError, RecursionError) as error:
                problems.append(f"parameter {parameter.name} cannot be {_shown(value)}: {lowered(str(error))}")
        elif parameter.required:
            problems.append(f"parameter {parameter.name} is missing")
        else:
            values[parameter.name] = parameter.default()
    if problems:
        raise BadParameters(function.pipeline.name, tuple(problems))
    return values


def accepted_parameters(function: Declaring, given: Mapping[str, Any], *, from_text: bool) -> dict[str, Any]:
    """What the record keeps of what was given: the one way in for the command line and for every other request.

    Defaults are filled in. Raises one :class:`BadParameters` with every problem.
    """
    return to_json(convert(function, given, from_text=from_text))


def to_json(values: Mapping[str, Any]) -> dict[str, Any]:
    """Converted parameters for the record: what JSON can hold, and :func:`convert` reads back strictly."""
    kept: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(dict(values)))
    return kept


def _json(text: str, kind: Any, *, otherwise: Any) -> Any:
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.MsgspecError:
        return otherwise


def _known(known: Mapping[str, Parameter]) -> str:
    return f"; there is {', '.join(known)}" if known else "; it takes none"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def lowered(text: str) -> str:
    """The text as the rest of a sentence."""
    return text[:1].lower() + text[1:]
