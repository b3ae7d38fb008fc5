"""A Kubernetes cluster, through its API server.

May import ``kubernetes.aio``, which nobody else does: it costs 39 MiB, so the composition root imports this folder
only where the settings say that runs are Jobs, and never in a runner. What is read is decoded by structs of our own:
the client's models refuse what they do not know, and a newer cluster has fields that they do not know. Nothing here
gives a verdict: it says what is there.
"""
