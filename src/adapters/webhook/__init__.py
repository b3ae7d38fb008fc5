"""Addresses that take posts. Knows the ports and the domain; never another adapter."""
