"""Figures against a real control plane; without its programs there are none."""
