"""The settings of a KubeScribe process, from its environment or ``.env``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import msgspec

from ..domain.database_url import DatabaseUrl
from ..domain.errors import BadSetting
from ..domain.smtp_url import SmtpUrl
from ..domain.tenant import Tenant
from ..domain.webhook_url import WebhookUrl
from .api_settings import ApiSettings, load_api_settings
from .cluster_settings import ClusterSettings, load_cluster_settings
from .environment import Environment
from .notify_settings import NotifySettings, load_notify_settings
from .pod import Pod, load_pod


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the environment says, read and checked; printed without passwords.

    A URL that is not set is ``None``: that database is not configured. When none of the three is set, all of them
    are embedded.
    """

    runlog_url: DatabaseUrl | None
    """``RUNLOG_DB_URL``, or ``OPSLOG_DB_URL``."""
    production_url: DatabaseUrl | None
    """``PROD_DB_URL``."""
    report_url: DatabaseUrl | None
    """``REPORT_DB_URL``."""
    report_reader_url: DatabaseUrl | None
    """``REPORT_READER_DB_URL``: the same database, for looking at reports alone."""

    home: Path
    """``KUBESCRIBE_HOME``, absolute: the embedded databases, spools, logs of local runs."""
    pipelines: tuple[str, ...]
    """``KUBESCRIBE_PIPELINES``: the modules that declare pipelines."""
    report_schema: str
    """``KUBESCRIBE_REPORT_SCHEMA``: where the reports' views are."""
    keep_versions: int
    """``KUBESCRIBE_KEEP_VERSIONS``: how many versions of a report are kept, the current one included."""

    heartbeat: timedelta
    """``KUBESCRIBE_HEARTBEAT``: between two renewals of a lease."""
    lease: timedelta
    """``KUBESCRIBE_LEASE``: without a heartbeat for so long, an attempt is given up."""
    grace: timedelta
    """``KUBESCRIBE_GRACE``: between SIGTERM and SIGKILL of the worker."""
    statement_timeout: timedelta
    """``KUBESCRIBE_STATEMENT_TIMEOUT``."""
    snapshot_max_age: timedelta
    """``KUBESCRIBE_SNAPSHOT_MAX_AGE``: how long a run may hold its snapshot of the production database."""
    connect_timeout: timedelta
    """``KUBESCRIBE_CONNECT_TIMEOUT``, where the URL says nothing."""
    browse_timeout: timedelta
    """``KUBESCRIBE_BROWSE_TIMEOUT``: for one page of a report's rows; a difference of versions has twice as long."""
    download_rows: int
    """``KUBESCRIBE_DOWNLOAD_ROWS``: the most rows of a report that one download has."""
    log_cap: int
    """``KUBESCRIBE_LOG_CAP``: bytes kept of an attempt's log."""

    max_runs: int
    """``KUBESCRIBE_MAX_RUNS``: how many launched supervisors may be at work on this machine at once."""

    pod: Pod | None
    """The pod that this process is a supervisor in: ``KUBESCRIBE_POD_UID`` and its like; None: it is in none."""

    run_id: UUID | None
    """``KUBESCRIBE_RUN_ID``: the run that the API made for this process."""
    slot: datetime | None
    """``KUBESCRIBE_SLOT``: the scheduled time, aware."""
    termination_log: Path | None
    """``KUBESCRIBE_TERMINATION_LOG``: the termination message's file."""
    actor: str
    """``KUBESCRIBE_ACTOR``: who does what this process does."""
    tenant: Tenant
    """``KUBESCRIBE_TENANT``: whose runs this process makes and sees."""
    api: ApiSettings
    """``KUBESCRIBE_API_…`` and ``KUBESCRIBE_OIDC_…``."""
    cluster: ClusterSettings
    """``KUBESCRIBE_NAMESPACE``, ``KUBESCRIBE_IMAGE``, ``KUBESCRIBE_SECRETS``."""

    smtp_url: SmtpUrl | None
    """``SMTP_URL``: where mail is handed over."""
    notify_email: tuple[str, ...]
    """``NOTIFY_EMAIL``: who gets a mail, one each."""
    notify_from: str | None
    """``NOTIFY_FROM``: from whom."""
    notify: NotifySettings
    """``SLACK_WEBHOOK_URL``, ``NOTIFY_WEBHOOK_URL``, ``PAGERDUTY_ROUTING_KEY``, ``APPRISE_URLS`` and the rules."""
    public_url: str | None
    """``KUBESCRIBE_PUBLIC_URL``: where people reach the pages; messages link there."""
    audit_anchor: Path | WebhookUrl | None
    """``KUBESCRIBE_AUDIT_ANCHOR``: where the head of the chain of events goes daily."""
    log: str
    """``KUBESCRIBE_LOG``: our own log lines as ``text`` or ``json``."""
    otlp_endpoint: str | None
    """``OTEL_EXPORTER_OTLP_ENDPOINT``: where traces go; the exporter reads the other ``OTEL_`` names itself."""

    @property
    def embedded(self) -> bool:
        """Whether the databases are our own, because no URL is set."""
        return self.runlog_url is self.production_url is self.report_url is None

    def secrets(self) -> tuple[str, ...]:
        """Every text that must appear in no log, event, error or page."""
        urls = (self.runlog_url, self.production_url, self.report_url, self.report_reader_url)
        anchor = self.audit_anchor if isinstance(self.audit_anchor, WebhookUrl) else None
        others = (self.smtp_url, self.notify, anchor)
        return tuple(dict.fromkeys(secret for url in (*urls, *others) if url is not None for secret in url.secrets()))


def load_settings(environ: Mapping[str, str], cwd: Path) -> Settings:
    """The settings of ``environ``, then of ``cwd/.env``, then the defaults.

    An empty value is not set. ``ConfigurationError`` names the variable, its value unless it may be secret, and
    what is expected; an unknown ``KUBESCRIBE_`` name is one too.
    """
    env = Environment.read_all(environ, cwd)
    notify_from = env.addresses("NOTIFY_FROM")
    if len(notify_from) > 1:
        raise BadSetting("NOTIFY_FROM", "it takes one address")
    heartbeat = env.duration("HEARTBEAT", "10s")
    tenant = env.tenant("TENANT")
    report_url, report_reader_url = env.database_url("REPORT_DB_URL"), env.database_url("REPORT_READER_DB_URL")
    if report_reader_url is not None and report_url is None:
        raise BadSetting("REPORT_READER_DB_URL", "REPORT_DB_URL is not set: set both, to the same database")
    return Settings(
        runlog_url=env.database_url("RUNLOG_DB_URL"),
        production_url=env.database_url("PROD_DB_URL"),
        report_url=report_url,
        report_reader_url=report_reader_url,
        home=env.path("HOME") or env.absolute(".kubescribe"),
        pipelines=env.modules("PIPELINES"),
        report_schema=env.schema("REPORT_SCHEMA", "reports"),
        keep_versions=env.count("KEEP_VERSIONS", 5),
        heartbeat=heartbeat,
        lease=env.duration("LEASE", "60s", longer_than=2 * heartbeat, because="twice KUBESCRIBE_HEARTBEAT"),
        grace=env.duration("GRACE", "30s"),
        statement_timeout=env.duration("STATEMENT_TIMEOUT", "15m"),
        snapshot_max_age=env.duration("SNAPSHOT_MAX_AGE", "15m"),
        connect_timeout=env.duration("CONNECT_TIMEOUT", "3s"),
        browse_timeout=env.duration("BROWSE_TIMEOUT", "30s"),
        download_rows=env.count("DOWNLOAD_ROWS", 1_000_000),
        log_cap=env.count("LOG_CAP", 10 * 1024 * 1024),
        max_runs=env.count("MAX_RUNS", 8),
        pod=load_pod(env),
        run_id=env.uuid("RUN_ID"),
        slot=env.time("SLOT"),
        termination_log=env.path("TERMINATION_LOG"),
        actor=env.actor("ACTOR"),
        smtp_url=env.smtp_url(),
        notify_email=env.addresses("NOTIFY_EMAIL"),
        notify_from=notify_from[0] if notify_from else None,
        notify=load_notify_settings(env),
        public_url=env.public_url("PUBLIC_URL"),
        audit_anchor=env.path_or_webhook("AUDIT_ANCHOR"),
        log=env.choice("LOG", "text", "json"),
        otlp_endpoint=env.plain("OTEL_EXPORTER_OTLP_ENDPOINT"),
        tenant=tenant,
        api=load_api_settings(env, tenant),
        cluster=load_cluster_settings(env),
    )
