"""Every port in memory: for tests, and for trying a pipeline without any database.

May import: the application's ports, the domain, polars. Must never: keep anything beyond the process, or promise
less than the port does; the contract suite holds these adapters to the same words as the others.
"""
