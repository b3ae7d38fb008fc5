"""Mail over SMTP. Knows the ports and the domain; never another adapter."""
