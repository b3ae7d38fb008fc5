"""What the supervisor ends with, and what an outcome says."""

from __future__ import annotations

import pytest

from kubescribe.domain.attempt import DeathCertificate
from kubescribe.domain.exit_code import RESERVED, ExitCode
from kubescribe.domain.failure import FailureCause
from kubescribe.domain.outcome import NEVER_RETRIED, Outcome, payload_exit_code
from kubescribe.domain.run_status import RunStatus


@pytest.mark.parametrize("code", range(-64, 256))
def test_the_exit_code_after_a_payload(code: int) -> None:
    ours = payload_exit_code(code)
    if code < 0:
        assert ours == 128 + -code  # as a shell says it
    elif code in (64, 65, 75, 77, 78):
        assert ours == 1  # or it would be mistaken for our own word
    else:
        assert ours == code
    assert ours not in RESERVED
    assert (ours == 0) is (code == 0)


def test_the_contract_with_podfailurepolicy() -> None:
    assert {code.name: code.value for code in ExitCode} == {
        "DONE": 0,
        "PAYLOAD": 1,
        "USAGE": 64,
        "PRECONDITION": 65,
        "TEMPORARY": 75,
        "FENCED": 77,
        "REFUSED": 78,
    }
    assert frozenset({64, 65, 75, 77, 78}) == RESERVED


def test_an_outcome_speaks_from_its_certificate() -> None:
    certificate = DeathCertificate(cause=FailureCause.SIGNAL, message="it was ended by SIGKILL")
    outcome = Outcome(status=RunStatus.FAILED, exit_code=137, certificate=certificate)
    assert (outcome.cause, outcome.message) == (FailureCause.SIGNAL, "it was ended by SIGKILL")


def test_what_another_attempt_cannot_mend() -> None:
    assert {cause.value for cause in NEVER_RETRIED} == {"config_error", "precondition", "fenced", "run_deadline"}
