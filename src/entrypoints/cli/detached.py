"""``kubescribe run --detach``: a run whose supervisor goes on when the terminal is closed."""

from __future__ import annotations

import argparse

from ...application.authoring.parameters import convert, to_json
from ...application.authoring.registry import Registry
from ...domain.errors import BadSetting
from ..composition.container import Container
from ..settings import Settings
from .execute import slot_of
from .parameters import parameters_of, refuse_secrets
from .reading import reading


def start(args: argparse.Namespace, settings: Settings) -> int:
    """Accept the run, start its supervisor, and print the run's id."""
    for option in ("run_id", "retries", "retry_delay"):
        if getattr(args, option) is not None:
            name = "--" + option.replace("_", "-")
            raise BadSetting(name, "it cannot be given together with --detach: the pipeline's declaration holds")
    declared = Registry.load(settings.pipelines).get(args.pipeline)
    given = parameters_of(args)
    refuse_secrets(args.pipeline, given, settings)  # before an error quotes it
    parameters = to_json(convert(declared, given, from_text=True))

    async def trigger(container: Container) -> int:
        refuse_secrets(args.pipeline, parameters, container.databases())  # defaults too, and the embedded passwords
        run = await container.trigger_run()(
            declared.pipeline,
            parameters,
            actor=settings.actor,
            reason=args.reason,
            slot=slot_of(args.slot) if args.slot else None,
        )
        print(run.id)
        return 0 if not run.status.terminal else 1

    return reading(settings, trigger)
