"""``kubescribe api``: the HTTP server, with the reconciler inside."""

from __future__ import annotations

import argparse
import asyncio
import logging
import socket

from ...application.authoring import registry
from ...application.metrics import Registry
from ...domain.access import Role
from ...domain.errors import BadSetting
from ..api_settings import ApiSettings
from ..composition.cluster import on_cluster
from ..composition.container import Container, container_for
from ..composition.databases import open_databases
from ..composition.serving import cancelled, reconciler, services
from ..composition.slots import slot_firing
from ..composition.watching import loops
from ..http.app import api
from ..http.request_metrics import RequestMetrics
from ..http.server import listen, server
from ..log_lines import configure_logging
from ..settings import Settings
from .reading import METHOD
from .sign_in import link

logger = logging.getLogger("kubescribe.api")


def main(args: argparse.Namespace, settings: Settings) -> int:
    """Serve until told to end; then requests under way are finished, and the exit code is 0."""
    if not 0 <= args.port <= 65535:
        raise BadSetting("--port", f"{args.port} is no port")
    settings.notify.usable()
    pipelines = registry.Registry.load(settings.pipelines)
    pipelines.pipelines()  # what is declared wrongly is said now, not at somebody's request
    with open_databases(settings) as databases:
        configure_logging(settings.log, (*settings.secrets(), *databases.secrets()))

        async def serve() -> int:
            with listen(args.host, args.port) as listening:
                async with container_for(settings, databases) as container:
                    await _serve(container, pipelines, args, listening)
            return 0

        return asyncio.run(serve())


async def _serve(
    container: Container, pipelines: registry.Registry, args: argparse.Namespace, listening: socket.socket
) -> None:
    settings: Settings = container.settings()
    figures = Registry()
    reconciling = reconciler(container, pipelines, figures, logger.info)
    others = loops(container, figures, lambda: reconciling.standing)
    if not args.no_reconciler and not on_cluster(settings):
        others = (*others, slot_firing(container, pipelines, figures))
    parts = services(container, pipelines, reconciling.nudge, figures, (*others, reconciling))
    app = api(parts, settings.api, observer=RequestMetrics(figures))
    serving = server(app, stopping=parts.stopping.set)
    work = [asyncio.create_task(loop()) for loop in others]
    if not args.no_reconciler:
        work.append(asyncio.create_task(reconciling()))
        if on_cluster(settings):
            work.append(asyncio.create_task(container.cluster_view().follow(reconciling.nudge)))
    try:
        address = _address(args.host, listening, settings.api)
        print(f"KubeScribe answers at {address}", flush=True)
        if args.sign_in:
            code = await container.sign_in().invite(
                Role.ADMIN, actor=settings.actor, tenant=settings.tenant, method=METHOD
            )
            print(f"sign in, once and within 15 minutes: {link(address, code)}", flush=True)
        await serving.serve(sockets=[listening])
    finally:
        for task in work:
            await cancelled(task)


def _address(host: str, listening: socket.socket, settings: ApiSettings) -> str:
    """Where people reach it: by a name that it answers to."""
    port = listening.getsockname()[1]
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown if shown in settings.hosts else settings.hosts[0]}:{port}"
