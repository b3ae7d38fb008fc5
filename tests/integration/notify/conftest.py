"""Certificates, made once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.certificates import Certificates


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on this machine")
    return Certificates(Path(tmp_path_factory.mktemp("certificates")))
