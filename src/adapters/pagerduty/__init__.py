"""PagerDuty's Events API. Knows the ports and the domain; never another adapter."""
