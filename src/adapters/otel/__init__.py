"""Traces by OpenTelemetry. Knows the ports and the domain; never another adapter. Needs the extra ``otel``."""
