"""HTTP of the standard library. Knows the ports and the domain; never another adapter."""
