"""The smallest pipeline with a report, to see a new installation at work."""
