"""All files of the declared pipelines."""

from __future__ import annotations

from collections.abc import Sequence

from ...domain.errors import BadDeclaration
from ...domain.job_names import cron_job_name
from ...domain.pipeline import Pipeline
from .cron_job import cron_job
from .installation import Installation, Manifest
from .yaml_text import yaml_text

HEADER = "# Rendered by `kubescribe manifests`: change the declaration, not this file.\n"
"""The first line of each file, by which ours are known."""
STARTABLE = "kubescribe-pipelines"
"""The ConfigMap that lists the CronJobs of which the API may make Jobs; the admission policies read it."""
KUSTOMIZATION = "kustomization.yaml"


def manifests(pipelines: Sequence[Pipeline], installation: Installation) -> list[Manifest]:
    """The CronJobs by name, and before them the list of their names.

    Raises :class:`BadDeclaration` for two pipelines whose CronJobs would have one name, and for what no Job can be.
    """
    by_name: dict[str, Pipeline] = {}
    for pipeline in pipelines:
        other = by_name.setdefault(cron_job_name(pipeline.name), pipeline)
        if other is not pipeline:
            raise BadDeclaration(
                f"pipelines {other.name} and {pipeline.name} would both be the CronJob {cron_job_name(pipeline.name)}, "
                f"for its name has '-' for '_'; give one of them another name ({other.location}; {pipeline.location})"
            )
    ordered = [by_name[name] for name in sorted(by_name)]
    return [_startable(ordered, installation), *(cron_job(pipeline, installation) for pipeline in ordered)]


def files(pipelines: Sequence[Pipeline], installation: Installation) -> dict[str, str]:
    """Their texts by the names of files, with a kustomization that names them all. Raises as :func:`manifests`."""
    texts = {_file_name(one): HEADER + yaml_text(one) for one in manifests(pipelines, installation)}
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": sorted(texts),
    }
    return dict(sorted({**texts, KUSTOMIZATION: HEADER + yaml_text(kustomization)}.items()))


def document(pipelines: Sequence[Pipeline], installation: Installation) -> str:
    """Everything in one text, for ``kubectl apply -f -``. Raises as :func:`manifests`."""
    return HEADER + "---\n".join(yaml_text(one) for one in manifests(pipelines, installation))


def _startable(pipelines: Sequence[Pipeline], installation: Installation) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": STARTABLE,
            "namespace": installation.namespace,
            "labels": {"app.kubernetes.io/name": "kubescribe"},
        },
        "data": {cron_job_name(pipeline.name): pipeline.name for pipeline in pipelines},
    }


def _file_name(manifest: Manifest) -> str:
    return f"{manifest['kind'].lower()}-{manifest['metadata']['name']}.yaml"
