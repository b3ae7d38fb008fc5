"""The routes, by what they are about. Thin: read the request, ask a use case, show a view."""
