"""The arguments of the control plane's programs: Kubernetes' own defaults, but for what makes tests quick or small."""

from __future__ import annotations

from pathlib import Path

from .authority import Identity

EVICTION_AFTER = 1
"""Seconds that a pod stays on a node that is unreachable before it is told to go (Kubernetes' default is 300)."""

# What no test here needs: they cost start-up time and requests.
_WITHOUT = [
    "bootstrap-signer-controller",
    "certificatesigningrequest-approving-controller",
    "certificatesigningrequest-cleaner-controller",
    "certificatesigningrequest-signing-controller",
    "cloud-node-lifecycle-controller",
    "device-taint-eviction-controller",
    "endpoints-controller",
    "endpointslice-controller",
    "endpointslice-mirroring-controller",
    "ephemeral-volume-controller",
    "horizontal-pod-autoscaler-controller",
    "node-ipam-controller",
    "node-route-controller",
    "persistentvolume-attach-detach-controller",
    "persistentvolume-binder-controller",
    "persistentvolume-expander-controller",
    "persistentvolume-protection-controller",
    "resourceclaim-controller",
    "service-cidr-controller",
    "service-lb-controller",
    "token-cleaner-controller",
    "ttl-controller",
]


def etcd_flags(data: Path, port: int, peer_port: int) -> list[str]:
    """etcd without fsync: nothing of it has to outlive the machine."""
    return [
        f"--data-dir={data}",
        f"--listen-client-urls=http://127.0.0.1:{port}",
        f"--advertise-client-urls=http://127.0.0.1:{port}",
        f"--listen-peer-urls=http://127.0.0.1:{peer_port}",
        f"--initial-advertise-peer-urls=http://127.0.0.1:{peer_port}",
        f"--initial-cluster=default=http://127.0.0.1:{peer_port}",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def apiserver_flags(etcd_url: str, port: int, certificates: Path, identity: Identity) -> list[str]:
    """Node and RBAC authorization; the default admission plugins (Pod Security, admission policies, quota, …)."""
    return [
        f"--etcd-servers={etcd_url}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--secure-port={port}",
        f"--tls-cert-file={identity.certificate}",
        f"--tls-private-key-file={identity.key}",
        f"--client-ca-file={certificates / 'ca.crt'}",
        f"--kubelet-certificate-authority={certificates / 'ca.crt'}",
        f"--kubelet-client-certificate={identity.certificate}",
        f"--kubelet-client-key={identity.key}",
        "--kubelet-preferred-address-types=InternalIP",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={certificates / 'service-accounts.key'}",
        f"--service-account-signing-key-file={certificates / 'service-accounts.key'}",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--endpoint-reconciler-type=none",  # the API server's endpoint cannot be an address of loopback
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        f"--default-not-ready-toleration-seconds={EVICTION_AFTER}",
        f"--default-unreachable-toleration-seconds={EVICTION_AFTER}",
        "--profiling=false",
        "--v=0",
    ]


def controller_manager_flags(kubeconfig: Path, certificates: Path, node_grace: int) -> list[str]:
    """All controllers that jobs and their pods meet, with room for many requests."""
    return [
        f"--kubeconfig={kubeconfig}",
        f"--root-ca-file={certificates / 'ca.crt'}",
        f"--service-account-private-key-file={certificates / 'service-accounts.key'}",
        "--use-service-account-credentials",
        f"--controllers=*,{','.join('-' + each for each in _WITHOUT)}",
        "--leader-elect=false",
        "--secure-port=0",
        f"--node-monitor-grace-period={node_grace}s",
        "--node-monitor-period=1s",
        "--node-startup-grace-period=10s",
        "--concurrent-job-syncs=10",
        "--concurrent-cron-job-syncs=10",
        "--resource-quota-sync-period=10s",
        "--kube-api-qps=500",
        "--kube-api-burst=1000",
        "--profiling=false",
        "--v=0",
    ]


def scheduler_flags(kubeconfig: Path) -> list[str]:
    """The default scheduler."""
    return [
        f"--kubeconfig={kubeconfig}",
        "--leader-elect=false",
        "--secure-port=0",
        "--kube-api-qps=500",
        "--kube-api-burst=1000",
        "--profiling=false",
        "--v=0",
    ]
