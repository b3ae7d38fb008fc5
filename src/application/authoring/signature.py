"""Reading a function's signature: which parameters a pipeline has."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable
from typing import Any

import msgspec

from ...domain.errors import BadDeclaration
from .origin import place
from .parameters import REQUIRED, Parameter, lowered

DIALECT = "https://json-schema.org/draft/2020-12/schema"
"""Of every schema that a declaration has."""

_VARIADIC, _KEYWORDS = 0x04, 0x08  # code flags: *args, **kwargs; inspect would cost 5 ms


def parameters_of(function: Callable[..., Any]) -> tuple[Parameter, ...]:
    """The function's parameters, the context apart; raises :class:`BadDeclaration` where it cannot be called so."""
    code = function.__code__
    where = place(function)
    plain = code.co_varnames[: code.co_argcount]
    keyword_only = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    if not plain:
        raise BadDeclaration(f"{where}: its first argument has to be the Context, and it has none")
    if code.co_flags & (_VARIADIC | _KEYWORDS):
        raise BadDeclaration(f"{where}: *args and **kwargs cannot be parameters; name each with its type")
    if code.co_posonlyargcount > 1:
        raise BadDeclaration(f"{where}: parameters are passed by name; move the / before {plain[1]}")
    names = (*plain[1:], *keyword_only)
    annotations = _annotations(function, names, where)
    values = function.__defaults__ or ()
    defaults: dict[str, Any] = dict(zip(plain[len(plain) - len(values) :], values, strict=True))
    defaults |= function.__kwdefaults__ or {}
    return tuple(_checked(Parameter(name, annotations[name], defaults.get(name, REQUIRED)), where) for name in names)


def schema_of(parameters: tuple[Parameter, ...], where: str) -> dict[str, Any]:
    """The JSON Schema of an object that holds the parameters."""
    properties: dict[str, Any] = {}
    try:
        schemas, definitions = msgspec.json.schema_components([parameter.type for parameter in parameters])
    except TypeError as error:
        raise BadDeclaration(f"{where}: its parameters have no JSON Schema: {error}") from None
    for parameter, schema in zip(parameters, schemas, strict=True):
        if not parameter.required:
            schema = {**schema, "default": msgspec.to_builtins(parameter.default(), str_keys=True)}
        properties[parameter.name] = schema
    required = [parameter.name for parameter in parameters if parameter.required]
    schema = {
        "$schema": DIALECT,
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }
    # msgspec refers to "#/$defs/…" by default, which is where they are then.
    return _with_definitions(schema, definitions)


def _annotations(function: Callable[..., Any], names: tuple[str, ...], where: str) -> dict[str, Any]:
    class Wanted:
        """Only the parameters': the context's type may be importable for a type checker alone."""

    try:
        written = function.__annotations__
        missing = [name for name in names if name not in written]
        if missing:
            raise BadDeclaration(f"{where}: parameter {missing[0]} has no type; annotate it, as in {missing[0]}: int")
        Wanted.__annotations__ = {name: written[name] for name in names}
        return typing.get_type_hints(
            types.SimpleNamespace(__annotations__=Wanted.__annotations__),
            globalns=function.__globals__,
            include_extras=True,
        )
    except (NameError, AttributeError, SyntaxError, TypeError) as error:
        raise BadDeclaration(f"{where}: the types of its parameters cannot be found: {error}") from None


def _checked(parameter: Parameter, where: str) -> Parameter:
    try:
        msgspec.json.schema(parameter.type)
    except TypeError as error:
        what = str(error).strip().splitlines()[-1]
        raise BadDeclaration(f"{where}: parameter {parameter.name} has a type that JSON cannot hold: {what}") from None
    if not parameter.required:
        try:
            parameter.read(parameter.default(), from_text=False)
        except (msgspec.MsgspecError, ValueError, TypeError) as error:
            raise BadDeclaration(
                f"{where}: the default of parameter {parameter.name} is not of its type: {lowered(str(error))}"
            ) from None
    return parameter


def _with_definitions(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "$defs": definitions} if definitions else schema
