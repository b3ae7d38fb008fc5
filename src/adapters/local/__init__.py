"""Local processes: payloads, what they leave, and what a supervisor needs of its machine."""
