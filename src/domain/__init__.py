"""What is true of runs and reports without any machine.

Lives here: frozen msgspec structs, enums, pure functions over them, and every error that KubeScribe raises on
purpose. May import: the standard library and msgspec. Must never: read a clock, make an id, do I/O, or know
that PostgreSQL, Kubernetes or HTTP exist.
"""
