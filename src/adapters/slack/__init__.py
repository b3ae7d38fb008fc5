"""Slack's incoming webhooks. Knows the ports and the domain; never another adapter."""
