"""S-29: an error tells nothing of our machines; every error of the domain has its answer."""

from __future__ import annotations

import inspect
from typing import Any

import msgspec
import pytest
from litestar.testing import TestClient
from tests.support.api_routes import body_of, routes
from tests.support.api_world import ApiWorld

from kubescribe.domain import errors
from kubescribe.domain.access import Role
from kubescribe.entrypoints.http.problems import INTERNAL, TABLE, kind_of, problem

SECRET = "canary-5up3r"
TELLING = (
    "Traceback",
    "File ",
    "SELECT",
    "psycopg",
    "asyncpg",
    "sqlalchemy",
    "litestar",
    "uvicorn",
    "Python",
    ".py",
    SECRET,
)

NEVER_ASKED = {
    # What a supervisor or a worker meets, and no request: a request that met one would find a mistake of ours.
    errors.AnchorNotSent,
    errors.AttemptNotFound,
    errors.BadAnchor,
    errors.ChainBroken,
    errors.NotDelivered,
    errors.PostFailed,
    errors.BadDatabaseUrl,
    errors.BadDeclaration,
    errors.BadDuration,
    errors.BadSchedule,
    errors.LauncherBusy,
    errors.BadSetting,
    errors.ChecksFailed,
    errors.ClusterRefused,
    errors.ClusterUnavailable,
    errors.CommandNotFound,
    errors.EmbeddedNotAnswering,
    errors.EmbeddedUnavailable,
    errors.Fenced,
    errors.FileUnreadable,
    errors.TablesChanged,
    errors.ValueRefused,
    errors.QueryFailed,
    errors.ReportDependedOn,
    errors.ReportMismatch,
    errors.ReportRepeated,
    errors.ReportUndeclared,
    errors.ReportsMissing,
    errors.SnapshotLost,
    errors.StagingIncomplete,
    errors.Superseded,
    errors.UnknownTimezone,
    errors.UnsupportedType,
    # Bases.
    errors.ConfigurationError,
    errors.KubescribeError,
    errors.TemporaryError,
}


def concrete() -> list[type[Exception]]:
    return [one for _, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, errors.KubescribeError)]


def test_every_error_has_its_answer_or_is_never_asked_for() -> None:
    for error in concrete():
        answered = any(base in TABLE for base in error.__mro__)
        assert answered is not (error in NEVER_ASKED), error.__name__


def test_names_of_problems_are_one_to_one() -> None:
    names = [kind.name for kind in TABLE.values()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("failure", [RuntimeError(f"SELECT {SECRET}"), ZeroDivisionError(SECRET), KeyError(SECRET)])
def test_whatever_fails_on_any_route_tells_nothing(
    failure: Exception, world: ApiWorld, client: TestClient[Any], caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise failure

    headers = world.as_(Role.ADMIN)
    client.get("/session", headers=headers)  # known from now on
    services = world.services
    broken = msgspec_like(services, fails)
    for name, value in broken.items():
        object.__setattr__(services, name, value)
    for route in routes(services):
        world.clock.advance(0.01)
        answer = client.request(route.method, route.at(), headers=headers, json=body_of(route))
        if answer.status_code == 500:
            told = answer.json()
            assert told == {
                "type": "urn:kubescribe:problem:internal",
                "title": "Something went wrong here",
                "status": 500,
                "detail": "It is in the log of the server.",
            }
        assert not [word for word in TELLING if word in answer.text and "swagger" not in route.path], route.path
    assert "failed" in caplog.text


def msgspec_like(services: Any, fails: Any) -> dict[str, Any]:
    """Services that break at whatever is asked of them, but for who asks."""

    class Broken:
        def __getattr__(self, name: str) -> Any:
            return fails

        __call__ = fails

    kept = ("authenticate", "clock", "stopping", "nudge")
    return {name: Broken() for name in services.__dataclass_fields__ if name not in kept}


@pytest.mark.parametrize(
    "error",
    [
        errors.DatabaseUnavailable("RunLog", f"connection to 10.0.0.3:5432 as ks refused {SECRET}"),
        errors.DatabaseRefused("RunLog", f'password authentication failed for user "{SECRET}"', SECRET),
        errors.SchemaMismatch("RunLog", "0001", "0009"),
        errors.CommitUnknown("report", "x", SECRET),
        errors.LaunchRefused("x", f"/opt/{SECRET}: no such file"),
        errors.IdentityProviderUnavailable(SECRET, SECRET),
        errors.NotAuthenticated(SECRET),
        ValueError(SECRET),
    ],
)
def test_what_is_said_of_an_error_is_for_strangers(error: Exception) -> None:
    said = msgspec.json.encode(problem(error)).decode()
    assert SECRET not in said and "10.0.0.3" not in said and "0009" not in said


def test_runlog_away_is_503_and_says_when_to_ask_again(world: ApiWorld, client: TestClient[Any]) -> None:
    headers = world.as_(Role.ADMIN)
    client.get("/session", headers=headers)
    world.database.available = False
    run = "/runs/0197a000-0000-7000-8000-000000000000"
    for path in ("/runs", run, f"{run}/events"):
        answer = client.get(path, headers=headers)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5"), path
        assert answer.headers["content-type"] == "application/problem+json"
    answer = client.post("/runs/trigger", json={"pipeline": "totals"}, headers=headers)
    assert answer.status_code == 503
    world.clock.advance(10)  # and when nobody is remembered any more
    assert client.get("/runs", headers=headers).status_code == 503


def test_readyz_names_what_is_away() -> None:
    state: dict[str, Exception | None] = {"runlog": None, "report": None}

    def check(name: str) -> Any:
        async def ask() -> None:
            if (error := state[name]) is not None:
                raise error

        return ask

    world = ApiWorld(runlog=check("runlog"), report=check("report"))
    with world.client() as client:
        well = {"ready": True, "dependencies": {"runlog": "ok", "report": "ok"}, "reconciled_ago": None}
        assert client.get("/readyz").json() == well
        for error, word in (
            (errors.DatabaseUnavailable("RunLog", SECRET), "away"),
            (errors.DatabaseReadOnly("RunLog", SECRET), "read-only"),
            (errors.DatabaseRefused("RunLog", SECRET, SECRET), "refused"),
            (errors.SchemaMismatch("RunLog", None, "0003"), "schema"),
        ):
            state["runlog"] = error
            world.clock.advance(1)
            answer = client.get("/readyz")
            assert (answer.status_code, answer.json()["dependencies"]) == (503, {"runlog": word, "report": "ok"})
            assert SECRET not in answer.text
        assert client.get("/healthz").status_code == 200


def test_an_unknown_error_is_ours() -> None:
    assert kind_of(KeyError("x")) is INTERNAL
