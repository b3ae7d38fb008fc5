"""A real Kubernetes control plane on loopback, and nodes whose pods are processes of this machine.

``control_plane`` starts etcd, kube-apiserver, kube-controller-manager and kube-scheduler; ``node`` stands in for
the kubelet. What is imitated, and what is not, is said in ``docs/test-cluster.md``.
"""
