"""Whatever apprise can reach. Knows the ports and the domain; never another adapter."""
