"""What ``--param`` gives."""

from __future__ import annotations

import argparse

from ...domain.errors import BadParameters


def parameters_of(args: argparse.Namespace) -> dict[str, object]:
    """What ``--param`` gives, as text."""
    given: dict[str, object] = {}
    for pair in args.param:
        name, equals, value = pair.partition("=")
        if not equals:
            raise BadParameters(args.pipeline, (f"--param {pair} has no '='; write --param {pair}=VALUE",))
        if name in given:
            raise BadParameters(args.pipeline, (f"parameter {name} is given twice",))
        given[name] = value
    return given
