"""``kubescribe manifests``: the CronJobs of all declared pipelines, for a GitOps repository."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from ...application.authoring.registry import Registry
from ...application.manifests.difference import difference
from ...application.manifests.installation import Installation
from ...application.manifests.rendering import HEADER, document, files
from ...domain.errors import BadSetting
from ...domain.exit_code import ExitCode
from ..settings import Settings
from .schedule_lint import warn


def main(args: argparse.Namespace, settings: Settings) -> int:
    """Print them, write them or compare them. Needs no cluster and no database."""
    pipelines = Registry.load(settings.pipelines).pipelines()
    installation = installation_of(settings)
    warn(pipelines)
    if args.check is not None:
        return _check(Path(args.check), files(pipelines, installation))
    if args.out is not None:
        _write(Path(args.out), files(pipelines, installation))
    else:
        sys.stdout.write(document(pipelines, installation))
    return ExitCode.DONE


def installation_of(settings: Settings) -> Installation:
    """What the settings say of the pods."""
    return Installation(
        namespace=settings.cluster.namespace,
        image=settings.cluster.image,
        secrets=settings.cluster.secrets,
        modules=settings.pipelines,
        tenant=settings.tenant,
        kept=settings.cluster.keep_jobs,
        grace=settings.grace,
    )


def _check(folder: Path, wanted: dict[str, str]) -> int:
    if not folder.is_dir():
        raise BadSetting("--check", f"{folder} is no folder; `kubescribe manifests --out {folder}` makes it")
    there = {name: _read(folder / name) for name in wanted if (folder / name).exists()}
    found = difference(there | _ours(folder), wanted)
    if not found:
        return ExitCode.DONE
    sys.stdout.write(found)
    print(
        f"kubescribe: {folder} is not what is declared; `kubescribe manifests --out {folder}` renews it",
        file=sys.stderr,
    )
    return ExitCode.PRECONDITION


def _write(folder: Path, wanted: dict[str, str]) -> None:
    """Each file whole or as it was. What we wrote for a pipeline that is no more goes; files of others stay."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in wanted:
            if (folder / name).exists() and not _read(folder / name).startswith(HEADER):
                raise BadSetting("--out", f"{folder / name} was not written by this command; move it away first")
        for name, text in wanted.items():
            made = folder / f".{name}.{os.getpid()}"
            made.write_text(text, encoding="utf-8")
            made.replace(folder / name)
        for name in _ours(folder).keys() - wanted.keys():
            (folder / name).unlink()
            print(f"{folder / name} removed: there is no such pipeline any more")
    except OSError as error:
        raise BadSetting("--out", f"{error.filename or folder}: {error.strerror}") from error
    print(f"{len(wanted)} files in {folder}")


def _ours(folder: Path) -> dict[str, str]:
    """The files that this command wrote."""
    texts = {file.name: _read(file) for file in sorted(folder.glob("*.yaml"))}
    return {name: text for name, text in texts.items() if text.startswith(HEADER)}


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetting(str(file), f"it cannot be read: {error}") from error
