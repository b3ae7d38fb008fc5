"""The scenarios of ``features/``; their steps are plugins (``tests/conftest.py``)."""

from __future__ import annotations

from pytest_bdd import scenarios

scenarios("../../features")
