"""What KubeScribe does: one module a use case, behind ports.

Lives here: use cases (named after the act) and, in ``ports``, the protocols they need. May import: the domain,
and polars as a type only. Must never: import a driver or an adapter, or speak SQL, HTTP or Kubernetes.
"""
