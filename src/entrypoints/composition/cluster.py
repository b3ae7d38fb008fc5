"""What looks after a cluster, put together. It is imported by every command, and imports nothing before it is asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..settings import Settings

if TYPE_CHECKING:
    from ...adapters.kubernetes.cluster_jobs import KubernetesJobs
    from ...adapters.kubernetes.connection import ApiServer
    from ...adapters.kubernetes.launcher import KubernetesLauncher
    from ...adapters.kubernetes.schedules import KubernetesSchedules
    from ...adapters.kubernetes.view import ClusterView
    from ...adapters.postgres.job_log import PostgresJobLog
    from ...application.clear_jobs import ClearJobs
    from ...application.foreign_text import ForeignText
    from ...application.hint_pauses import HintPauses
    from ...application.observe_jobs import ObserveJobs

_TOKEN = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")


def on_cluster(settings: Settings) -> bool:
    """Whether runs are Jobs."""
    if settings.cluster.launcher == "auto":
        return _TOKEN.is_file()
    return settings.cluster.launcher == "kubernetes"


def api_server(settings: Settings, closing: list[Any]) -> ApiServer:
    """The connection."""
    from ...adapters.kubernetes.connection import ApiServer

    server = ApiServer(settings.cluster.kubeconfig)
    closing.append(server.close)
    return server


def foreign_text(settings: Settings, databases: Any) -> ForeignText:
    """What is hidden of what others print."""
    from ...application.foreign_text import ForeignText

    return ForeignText((*settings.secrets(), *databases.secrets()))


def cluster_view(settings: Settings, api: ApiServer, clock: Any, hide: ForeignText) -> ClusterView:
    """What is in the namespace."""
    from ...adapters.kubernetes.view import ClusterView

    return ClusterView(api, lambda: (settings.cluster.namespace,), settings.tenant, clock, hide)


def kubernetes_launcher(settings: Settings, api: ApiServer, view: ClusterView, clock: Any) -> KubernetesLauncher:
    """Runs as Jobs."""
    from ...adapters.kubernetes.launcher import KubernetesLauncher, namespace_of

    def where(tenant: str) -> str:
        return namespace_of(tenant, settings.tenant, settings.cluster.namespace)

    return KubernetesLauncher(api, view, where, sleep=clock.sleep, monotonic=clock.monotonic)


def cluster_jobs(api: ApiServer, view: ClusterView, hide: ForeignText) -> KubernetesJobs:
    """The Jobs of pipelines."""
    from ...adapters.kubernetes.cluster_jobs import KubernetesJobs

    return KubernetesJobs(api, view, hide)


def job_log(engine: Any) -> PostgresJobLog:
    """RunLog as it is completed from what the cluster shows."""
    from ...adapters.postgres.job_log import PostgresJobLog

    return PostgresJobLog(engine)


def observe_jobs(settings: Settings, jobs: Any, log: Any, run_log: Any, attempt_log: Any) -> ObserveJobs:
    """The use case."""
    from ...application.observe_jobs import ObserveJobs

    return ObserveJobs(
        jobs=jobs,
        job_log=log,
        run_log=run_log,
        attempt_log=attempt_log,
        start_deadline=settings.cluster.start_deadline.total_seconds(),
    )


def clear_jobs(settings: Settings, jobs: Any, log: Any) -> ClearJobs:
    """The use case."""
    from ...application.clear_jobs import ClearJobs

    return ClearJobs(jobs=jobs, job_log=log, keep=settings.cluster.keep_jobs)


def schedules(settings: Settings, api: ApiServer, view: ClusterView) -> KubernetesSchedules:
    """The CronJobs of pipelines."""
    from ...adapters.kubernetes.schedules import KubernetesSchedules

    return KubernetesSchedules(api, view, settings.tenant)


def hint_pauses(seen: Any, kept: Any) -> HintPauses:
    """The use case."""
    from ...application.hint_pauses import HintPauses

    return HintPauses(pauses=kept, schedules=seen)
