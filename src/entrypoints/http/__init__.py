"""The HTTP API. May import ``application`` and ``domain``; no adapter: what it needs, the composition root makes.

``gate`` stands before every route and lets nobody through by default; ``routes`` are thin, and hand over to use cases;
``views`` are what goes over the wire, never a domain struct.
"""
