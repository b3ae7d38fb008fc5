from __future__ import annotations

import hashlib

import pytest

from kubescribe.domain.checksum import Checksum

DATA = b"some bytes, in two pieces"


def summed(checksum: Checksum) -> Checksum:
    checksum.update(DATA[:7])
    checksum.update(memoryview(bytearray(DATA[7:])))
    return checksum


def test_a_new_one_is_sha_256_and_says_so() -> None:
    found = summed(Checksum())
    assert str(found) == "sha256:" + hashlib.sha256(DATA).hexdigest()
    assert found.size == len(DATA)


def test_one_that_was_written_is_computed_again_by_its_own_algorithm() -> None:
    old = "blake2b:" + hashlib.blake2b(DATA, digest_size=32).hexdigest()
    assert str(summed(Checksum.like(old))) == old
    new = str(summed(Checksum()))
    assert str(summed(Checksum.like(new))) == new


@pytest.mark.parametrize("written", ["", "sha256", "md5:00", "rowsum:" + "0" * 32])
def test_one_that_nobody_knows_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="is no algorithm for a checksum that this version of KubeScribe knows"):
        Checksum.like(written)
