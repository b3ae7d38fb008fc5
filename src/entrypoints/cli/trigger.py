"""``kubescribe trigger NAME`` (and ``run --detach``): a run whose supervisor goes on when the terminal is closed."""

from __future__ import annotations

import argparse
import sys

from ...application.authoring.parameters import accepted_parameters
from ...application.authoring.registry import Registry
from ...application.trigger_run import TriggerRequest
from ...domain.errors import BadSetting
from ...domain.exit_code import ExitCode
from ...domain.run import Run
from ...domain.run_mode import RunMode
from ...domain.run_status import RunStatus
from ..composition.container import Container
from ..secrets import refuse_secrets
from ..settings import Settings
from . import terminal
from .execute import slot_of
from .parameters import parameters_of
from .reading import METHOD, reading


def main(args: argparse.Namespace, settings: Settings) -> int:
    """Accept the run, start its supervisor, and print the run's id."""
    declared = Registry.load(settings.pipelines).get(args.pipeline)
    given = parameters_of(args)
    refuse_secrets(args.pipeline, given, settings)  # before an error quotes it
    parameters = accepted_parameters(declared, given, from_text=True)

    async def trigger(container: Container) -> int:
        refuse_secrets(args.pipeline, parameters, container.databases())  # defaults too, and the embedded passwords
        request = TriggerRequest(
            tenant=settings.tenant,
            pipeline=declared.pipeline,
            parameters=parameters,
            actor=settings.actor,
            reason=args.reason,
            slot=slot_of(args.slot) if args.slot else None,
            mode=RunMode.REHEARSE if args.rehearse else RunMode.PUBLISH,
            key=args.key,
            method=METHOD,
        )
        accepted = await container.trigger_run()(request)
        if not accepted.new:
            print(f"kubescribe: it was asked for before under the key {args.key}", file=sys.stderr)
        return say(accepted.run, as_json=args.json, new=accepted.new)

    return reading(settings, trigger)


def detach(args: argparse.Namespace, settings: Settings) -> int:
    """``run --detach``: the same, without a key."""
    for option in ("run_id", "retries", "retry_delay"):
        if getattr(args, option) is not None:
            name = "--" + option.replace("_", "-")
            raise BadSetting(name, "it cannot be given together with --detach: the pipeline's declaration holds")
    args.key, args.json = None, False
    return main(args, settings)


def say(run: Run, *, as_json: bool, new: bool) -> int:
    """The run's id, and what there is to say of it; 1 where a new one could not be launched."""
    if as_json:
        terminal.print_json(run)
    else:
        print(run.id)
        if new and run.message:
            print(f"kubescribe: {run.message}", file=sys.stderr)
    return ExitCode.PAYLOAD if new and run.status is RunStatus.FAILED else ExitCode.DONE
