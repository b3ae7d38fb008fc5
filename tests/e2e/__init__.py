"""``make e2e``: the main scenarios on a real cluster, with what a user has: a kubeconfig, kubectl and an image."""
