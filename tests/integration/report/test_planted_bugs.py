"""Tests that cannot fail prove nothing: each bug that is planted here turns a test of the modes red."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from kubescribe.adapters.report import placement, publication, publisher, relations, retirement, rollback, shaping
from kubescribe.adapters.report.row_changes import RowChange
from kubescribe.application.report_account import Gone, account_of_change, account_of_removal
from tests.integration.report import test_evolution, test_modes
from tests.support.modes import MODES, rows
from tests.support.publishing import World, run
from tests.support.report_database import ReportServer

pytestmark = pytest.mark.integration
Patch = pytest.MonkeyPatch


@dataclass(frozen=True)
class Planted:
    """A bug, and a test of the product that it breaks."""

    name: str
    plant: Callable[[Patch], None]
    test: Callable[[World, ReportServer, Patch], object]


def _text(module: Any, name: str, old: str, new: str) -> Callable[[Patch], None]:
    def plant(patch: Patch) -> None:
        text = getattr(module, name)
        assert old in text, f"{name} has changed: plant this anew"
        patch.setattr(module, name, text.replace(old, new))

    return plant


def _no_check(patch: Patch) -> None:
    async def check(*_: object) -> None:
        return None

    patch.setattr(RowChange, "_check_key", check)


def _no_nulls(patch: Patch) -> None:
    delete = RowChange._delete

    async def deleted(self: RowChange, named: tuple[str, ...], equals: str) -> Gone:
        return await delete(self, named, equals) if equals == "=" else Gone()

    patch.setattr(RowChange, "_delete", deleted)


def _no_guard(patch: Patch) -> None:
    make = relations.make_view

    def made(item: Any, schema: str, generation: int, **how: Any) -> str:
        text = make(item, schema, generation, **how)
        return text.replace("ELSE kubescribe.refuse_older_snapshot(report)", "ELSE version")

    patch.setattr(relations, "make_view", made)


def _no_grants(patch: Patch) -> None:
    async def none(*_: object) -> list[str]:
        return []

    patch.setattr(shaping, "granted_again", none)


def _held_for_long(patch: Patch) -> None:
    patch.setattr(shaping, "READER_MILLISECONDS", 4_000)


PLANTED = (
    Planted(
        "reports are not locked",
        _text(publication, "_LOCK_REPORTS", "FOR UPDATE OF r", ""),
        lambda world, _, __: test_modes.test_runs_that_publish_one_report_at_once_all_end_well_and_lose_nothing(
            world, "merge", True
        ),
    ),
    Planted(
        "a key is looked for among the staged rows alone",
        _no_check,
        lambda world, _, __: test_modes.test_a_key_that_two_runs_append_at_once_is_in_the_report_once(world),
    ),
    Planted(
        "partitions of null are forgotten",
        _no_nulls,
        lambda world, server, _: test_modes.test_a_repeatable_reader_sees_the_old_rows_or_the_new(
            world, server, "replace_partition"
        ),
    ),
    Planted(
        "what goes stays in the sum",
        lambda patch: patch.setattr(
            placement, "account_of_change", lambda before, item, _gone: account_of_change(before, item, Gone())
        ),
        lambda world, _, __: test_modes.test_runs_that_publish_one_report_at_once_all_end_well_and_lose_nothing(
            world, "merge", False
        ),
    ),
    Planted(
        "what a rollback takes out stays in the sum",
        lambda patch: patch.setattr(
            rollback, "account_of_removal", lambda before, _gone: account_of_removal(before, Gone())
        ),
        lambda world, _, __: _rolled_back(world),
    ),
    Planted(
        "an older snapshot follows its pointer into other tables",
        _no_guard,
        lambda world, server, _: test_evolution.test_an_older_snapshot_is_told_when_the_report_was_made_anew(
            world, server, "append", test_evolution.NARROWER, 1
        ),
    ),
    Planted(
        "a view that is made anew has the default rights",
        _no_grants,
        lambda world, server, _: test_evolution.test_grants_and_comment_are_carried_over_neither_more_nor_less(
            world, server
        ),
    ),
    Planted(
        "what was staged is kept although its rows are in the report",
        _text(publication, "_CONDEMN", "condemned_at = clock_timestamp()", "condemned_at = NULL"),
        lambda world, server, _: test_modes.test_nothing_is_left_of_what_was_staged(world, server),
    ),
    Planted(
        "a version whose rows change counts as replaced by the next publication",
        _text(retirement, "_CONDEMNED_OF_REPORT", "WHEN 'replace' THEN", "WHEN mode THEN"),
        lambda world, server, _: test_evolution.test_earlier_generations_go_when_nobody_reads_them(world, server),
    ),
    Planted(
        "a version that is attached to an earlier generation is pointed at",
        lambda patch: patch.setattr(placement.Placement, "_refuse_strange_parent", _nothing),
        lambda world, _, patch: test_evolution.test_a_version_that_was_attached_to_an_earlier_generation_is_refused(
            world, patch
        ),
    ),
    Planted(
        "a change of columns waits for readers as long as it takes",
        _held_for_long,
        lambda world, server, _: test_evolution.test_a_change_waits_for_the_reader_that_is_there_and_lets_others_pass(
            world, server, "replace", test_evolution.WIDER, {}
        ),
    ),
    Planted(
        "a lost answer to COMMIT is taken for a failure",
        lambda patch: patch.setattr(publisher.PostgresPublisher, "publish", _once),
        lambda world, server, patch: _cut_at_every_step(world, server, patch),
    ),
)


async def _nothing(*_: object) -> None:
    return None


async def _once(self: Any, request: Any, staged: Any) -> Any:
    from kubescribe.adapters.report.database import translated

    async with translated(), self._database.connection() as connection:
        one = publication.Publishing(
            connection, request, staged, schema=self._schema, idle_timeout=3.0, change_timeout=60.0
        )
        await one.prepare()
        return await one.publish()


def _rolled_back(world: World) -> None:
    for number in (1, 2):
        world.published(rows(number), **MODES["append"])
    order = {"to": None, "rollback_id": world.attempt().run_id, "actor": "eve", "reason": None}
    run(world.catalogue.roll_back("airports", **order))  # type: ignore[arg-type]
    assert run(world.catalogue.verify("airports")).differences == ()


def _cut_at_every_step(world: World, server: ReportServer, patch: Patch) -> None:
    from tests.support.proxy import Proxy
    from tests.support.report_worlds import postgres_world

    with Proxy(server.cluster.port) as proxy:
        through = postgres_world(server, port=proxy.port, settle_timeout=1.0)
        try:
            test_modes.test_a_cut_at_commit_is_settled_by_the_ledger(world, through, proxy, "append", True)
        except Exception as error:
            raise AssertionError("the cut was not settled") from error


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.name)
def test_a_planted_bug_is_found(
    world: World, server: ReportServer, monkeypatch: pytest.MonkeyPatch, planted: Planted
) -> None:
    planted.plant(monkeypatch)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        planted.test(world, server, monkeypatch)
