"""A control plane of one's own: etcd, API server, controllers and scheduler, on loopback."""

from __future__ import annotations

import socket
import tempfile
import uuid
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import httpx
import msgspec

from tests.support.waiting import wait_for

from .api import Api
from .authority import Authority, new_key
from .binaries import find_binaries
from .flags import apiserver_flags, controller_manager_flags, etcd_flags, scheduler_flags
from .namespace import Namespace
from .program import Program
from .resources import ApiError
from .sweeper import Sweeper
from .tokens import token

ADMINISTRATOR = ("administrator", ("system:masters",))


class ControlPlane:
    """``with ControlPlane() as plane: plane.api.create(…)``. Raises :class:`~tests.support.kube.binaries.NoBinaries`.

    ``etcd``, ``apiserver``, ``controller_manager`` and ``scheduler`` can be stopped, paused and started again each
    by itself; ``start`` sets all right again. All of it ends with this process, however that ends.
    ``node_grace``: seconds without a renewed Lease after which a node is taken for unreachable (Kubernetes': 50).
    """

    def __init__(self, *, node_grace: int = 8) -> None:
        binaries = find_binaries()
        self.mark = uuid.uuid4().hex
        self.folder = Path(tempfile.mkdtemp(prefix="kube-"))
        self._closing = ExitStack()
        self._closing.enter_context(Sweeper(self.mark, self.folder))
        self.authority = Authority(self.folder / "certificates")
        self.port = free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self._signing = new_key(self.folder / "certificates" / "service-accounts.key")[0]
        etcd, peer = free_port(), free_port()
        self._etcd_url = etcd_url = f"http://127.0.0.1:{etcd}"
        administrator = self.authority.issue(*ADMINISTRATOR)

        def program(name: str, flags: list[str]) -> Program:
            return Program(binaries[name], flags, mark=self.mark, folder=self.folder)

        certificates = self.folder / "certificates"
        controllers = self.kubeconfig("system:kube-controller-manager")
        self.etcd = program("etcd", etcd_flags(self.folder / "etcd", etcd, peer))
        self.apiserver = program(
            "kube-apiserver",
            apiserver_flags(
                etcd_url, self.port, certificates, self.authority.issue("kube-apiserver", ("system:masters",))
            ),
        )
        self.controller_manager = program(
            "kube-controller-manager", controller_manager_flags(controllers, certificates, node_grace)
        )
        self.scheduler = program("kube-scheduler", scheduler_flags(self.kubeconfig("system:kube-scheduler")))
        self.api = self._closing.enter_context(Api(self.url, self.authority.file, administrator))

    def __enter__(self) -> ControlPlane:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End everything, and remove it."""
        for each in (self.scheduler, self.controller_manager, self.apiserver, self.etcd):
            each.stop()
        self._closing.close()

    def start(self) -> None:
        """Start what does not run, and wait until pods can be made.

        Controllers and scheduler are started anew with the API server: left to themselves they would wait, after some
        outages, for half a minute and more before they ask again. (``apiserver.start`` alone leaves them.)
        """
        if not self.apiserver.runs:
            self.controller_manager.stop()
            self.scheduler.stop()
        self.etcd.start()
        self.apiserver.start()
        # The controllers give up when the API server has not answered for ten seconds.
        wait_for(lambda: self._says_ok("/healthz/etcd"), "the API server to answer", timeout=60, every=0.05)
        self.controller_manager.start()
        self.scheduler.start()
        self.wait_ready()

    def wait_ready(self) -> None:
        """Wait until the API server is ready, and the controllers have made their first objects."""
        wait_for(self.is_ready, "the API server to be ready", timeout=60, every=0.05)
        wait_for(lambda: self._exists("default"), "the controllers to make a service account", timeout=60, every=0.05)

    def is_ready(self) -> bool:
        """Whether the API server takes requests; AssertionError when it has ended by itself."""
        return self._says_ok("/readyz")

    def _says_ok(self, path: str) -> bool:
        self.apiserver.check()
        self.etcd.check()
        try:
            return self.api.call("GET", path) == {"text": "ok"}
        except (httpx.TransportError, ApiError):
            return False

    def _exists(self, namespace: str) -> bool:
        self.controller_manager.check()
        try:
            return bool(self.api.get("serviceaccounts", "default", namespace))
        except ApiError:
            return False

    def compact(self) -> None:
        """Let etcd forget every version but the newest of each object, as the API server has it do every five minutes.

        What was to go on from an older one is answered with 410.
        """
        with httpx.Client(base_url=self._etcd_url, trust_env=False) as etcd:
            status = etcd.post("/v3/maintenance/status", json={}).raise_for_status().json()
            revision = {"revision": status["header"]["revision"], "physical": True}
            etcd.post("/v3/kv/compaction", json=revision).raise_for_status()

    def kubeconfig(self, user: str, *groups: str, namespace: str = "default") -> Path:
        """A file that kubectl and the clients take; whoever has it is ``user``."""
        identity = self.authority.issue(user, groups)
        known = {"client-certificate": str(identity.certificate), "client-key": str(identity.key)}
        return self._kubeconfig(identity.certificate.with_suffix(".kubeconfig"), known, namespace)

    def _kubeconfig(self, file: Path, user: dict[str, str], namespace: str) -> Path:
        cluster = {"server": self.url, "certificate-authority": str(self.authority.file)}
        context = {"cluster": "test", "user": "test", "namespace": namespace}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": "test", "user": user}],
            "contexts": [{"name": "test", "context": context}],
            "current-context": "test",
        }
        file.write_bytes(msgspec.json.encode(content))  # JSON is YAML, too
        return file

    def namespace(self, name: str, **labels: str) -> Namespace:
        """A new namespace in which pods can be made. ``pod_security="restricted"`` sets the level of Pod Security."""
        level = labels.pop("pod_security", None)
        given = {**labels, **({"pod-security.kubernetes.io/enforce": level} if level else {})}
        metadata = {"name": name, "labels": given}
        self.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        wait_for(lambda: self._exists(name), "the namespace's service account", timeout=30)
        return Namespace(self.api, name)

    def token(self, namespace: str, account: str, seconds: int = 3600) -> str:
        """A token of a service account that is there; below 600 seconds it is signed here."""
        return token(self.api, self._signing, namespace, account, seconds)

    def token_kubeconfig(self, namespace: str, account: str, seconds: int = 3600) -> Path:
        """A file with which one is the service account."""
        file = self.folder / f"{namespace}-{account}.kubeconfig"
        return self._kubeconfig(file, {"token": self.token(namespace, account, seconds)}, namespace)

    def as_account(self, namespace: str, account: str, seconds: int = 3600) -> Api:
        """The API server as the service account sees it; to be closed."""
        return Api(self.url, self.authority.file, token=self.token(namespace, account, seconds))

    def as_user(self, user: str, *groups: str) -> Api:
        """The API server as somebody sees it who has a certificate; to be closed."""
        return Api(self.url, self.authority.file, self.authority.issue(user, groups))


def free_port() -> int:
    """A port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
