"""The chain against whoever has the owner's password, and many writers at once."""

from __future__ import annotations

import asyncio
import itertools
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import psycopg
import pytest

from kubescribe.adapters.postgres.event_chain import PostgresEventChain
from kubescribe.application.audit_events import SealEvents, Verified, VerifyEvents
from kubescribe.application.failpoints import FailpointError, armed
from kubescribe.domain.chain_check import Breach
from kubescribe.domain.event_chain import Anchor
from tests.contract.test_event_chain import an_event
from tests.support.builders import a_claim, failed
from tests.support.clusters import Cluster
from tests.support.runlogs import PostgresWorld

pytestmark = pytest.mark.integration

UNGUARDED = b"SET session_replication_role = replica"  # what an owner can do


@pytest.fixture
def world(loop: asyncio.Runner, runlog_url: str) -> Iterator[PostgresWorld]:
    world = PostgresWorld(loop, runlog_url)
    yield world
    world.close()


def verified(world: PostgresWorld, *anchors: Anchor) -> Verified:
    return world.run(VerifyEvents(world.chain)("default", anchors))


def breaches(world: PostgresWorld, *anchors: Anchor) -> set[Breach]:
    return {finding.breach for finding in verified(world, *anchors).findings}


def filled(world: PostgresWorld, events: int = 12) -> Anchor:
    for number in range(events - 4):  # the others are the run's, and its incident's
        world.run(world.run_log.record(an_event(data={"number": number, "share": 0.5, "deep": {"list": [1, "x"]}})))
    run = world.run(world.attempt_log.claim(a_claim(world.ids.new(), world.ids.new()))).run
    assert run.attempt_id is not None
    world.run(world.attempt_log.finish(run.attempt_id, failed()))
    assert world.run(SealEvents(world.chain)()) == events
    head = world.run(world.chain.head("default"))
    assert head is not None and verified(world, head).findings == ()
    return head


def test_fifty_writers_leave_one_chain(world: PostgresWorld) -> None:
    """Transactions of 1 to 40 events that stay open for different times, while four sealers work."""
    writers, rows = 50, 1000

    async def write(number: int) -> None:
        connection = await asyncpg.connect(**world.address)
        try:
            done = 0
            for size in itertools.cycle((1, 7, 40, 3, 19)):
                size = min(size, rows - done)
                if not size:
                    return
                async with connection.transaction():
                    await connection.execute(
                        "INSERT INTO event (at, subject, kind, actor, data) SELECT clock_timestamp(), 's', 'k', "
                        "'writer:' || $1::int, jsonb_build_object('n', $2::int + n) "
                        "FROM generate_series(1, $3::int) AS n",
                        number,
                        done,
                        size,
                    )
                    if (number + done) % 3:
                        await connection.execute("SELECT pg_sleep(0.02)")  # a later number commits first
                done += size
        finally:
            await connection.close()

    async def race() -> int:
        stop, counts = asyncio.Event(), list[int]()
        chains = [PostgresEventChain(world.address) for _ in range(4)]

        async def keep_sealing(chain: PostgresEventChain) -> None:
            while not stop.is_set():
                counts.append(await chain.seal(limit=20_000))
            await chain.close()

        sealing = [asyncio.create_task(keep_sealing(chain)) for chain in chains]
        waiting = asyncio.Semaphore(30)  # connections

        async def one(number: int) -> None:
            async with waiting:
                await write(number)

        await asyncio.gather(*(one(number) for number in range(writers)))
        stop.set()
        await asyncio.gather(*sealing)
        return sum(counts) + await SealEvents(world.chain)()

    assert world.run(race()) == writers * rows
    result = verified(world)
    assert (result.checked, result.findings, result.unsealed.events) == (writers * rows, (), 0)
    with psycopg.connect(world.url) as connection:
        row = connection.execute(
            "SELECT count(*), count(DISTINCT position), max(position), count(DISTINCT digest) FROM event"
        ).fetchone()
        assert row == (50_000,) * 4
        out_of_order = connection.execute(
            "SELECT count(*) FROM (SELECT seq < lag(seq) OVER (ORDER BY position) AS late FROM event) AS o WHERE late"
        ).fetchone()
    assert out_of_order is not None and out_of_order[0] > 0, "nobody committed late: the test shows nothing"


EDITS = {
    "seq": "seq + 1000",
    "at": "at + interval '1 microsecond'",
    "tenant": "'other'",
    "subject": "subject || ' '",
    "kind": "upper(kind)",
    "actor": "'user:bob'",
    "method": "CASE WHEN method IS NULL THEN '' END",
    "reason": "CASE WHEN reason IS NULL THEN '' END",
    "run_id": "CASE WHEN run_id IS NULL THEN gen_random_uuid() END",
    "before": "CASE WHEN before IS NULL THEN '{}'::jsonb END",
    "after": "coalesce(after, '{}') || '{\"more\": 1}'",
    "data": "data || '{\"number\": 99}'",
    "position": "position + 1000",
    "digest": "sha256(digest)",
}
FINER = {
    "a number's trailing zero": ("data", """data || '{"share": 0.50}'"""),
    "a number beyond a float's digits": ("data", """data || '{"share": 0.50000000000000000000001}'"""),
    "an inner list": ("data", """jsonb_set(data, '{deep,list,0}', '2')"""),
    "a number made text": ("data", """coalesce(jsonb_set(data, '{number}', to_jsonb(data ->> 'number')), data)"""),
    "a key more": ("data", """data || '{"": null}'"""),
    "another object": ("data", "'[]'"),
    "a time without end": ("at", "'infinity'"),
    "a time before all times": ("at", "'4000-01-01 BC'"),
    "nested beyond reading": ("data", "(repeat('[', 5000) || repeat(']', 5000))::jsonb"),
    "too many digits": ("data", "repeat('9', 6000)::jsonb"),
    "an invisible character": ("reason", "reason || U&'\\200B'"),
    "a composed character": ("actor", "'user:a' || U&'\\0301'"),
}


def test_every_column_is_tried(world: PostgresWorld) -> None:
    with psycopg.connect(world.url) as connection:
        columns = {
            row[0]
            for row in connection.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_name = 'event'"
            )
        }
    assert columns == set(EDITS)


def test_every_edit_of_a_single_field_is_found(world: PostgresWorld) -> None:
    """Each field of each of twelve events, and finer edits of the JSON: put back after each, so that each is alone."""
    filled(world)
    edits = [*EDITS.items(), *FINER.values()]
    tried = 0
    with psycopg.connect(world.url, autocommit=True) as connection:
        connection.execute(UNGUARDED)
        connection.execute("CREATE TABLE kept AS SELECT * FROM event")
        connection.execute("ALTER TABLE event ALTER seq SET GENERATED BY DEFAULT, DROP CONSTRAINT event_dated")
        for (seq,) in connection.execute("SELECT seq FROM kept ORDER BY seq").fetchall():
            for column, value in edits:
                statement = (
                    f"UPDATE event SET {column} = {value} "
                    f"WHERE seq = {seq} AND ({column})::text IS DISTINCT FROM ({value})::text"
                )
                edited = connection.execute(statement.encode()).rowcount
                if not edited:
                    continue
                tried += 1
                # The last one moved to another tenant is a chain cut off here: see below.
                assert verified(world).findings or (column, seq) == ("tenant", 12), (seq, column, value)
                connection.execute("DELETE FROM event")
                connection.execute("INSERT INTO event OVERRIDING SYSTEM VALUE SELECT * FROM kept")
    assert tried >= 12 * len(EDITS)
    assert verified(world).findings == ()


def test_the_last_event_moved_to_another_tenant_is_found_there_and_by_an_anchor(world: PostgresWorld) -> None:
    head = filled(world)
    tamper(world, "UPDATE event SET tenant = 'other' WHERE position = 12")
    assert breaches(world, head) == {Breach.TRUNCATED}
    there = world.run(VerifyEvents(world.chain)("other"))
    assert {finding.breach for finding in there.findings} == {Breach.MISSING}


def tamper(world: PostgresWorld, *statements: str) -> None:
    with psycopg.connect(world.url) as connection:
        connection.execute(UNGUARDED)
        connection.execute("DROP INDEX IF EXISTS event_chain")
        for statement in statements:
            connection.execute(statement.encode())


@pytest.mark.parametrize("position", range(1, 12))
def test_every_deletion_is_found(world: PostgresWorld, position: int) -> None:
    filled(world)
    tamper(world, f"DELETE FROM event WHERE position = {position}")
    assert breaches(world) == {Breach.MISSING}
    # With the positions closed up behind it, too.
    tamper(world, f"UPDATE event SET position = position - 1 WHERE position > {position}")
    assert breaches(world) == {Breach.ALTERED}


@pytest.mark.parametrize("cut", [1, 5, 12])
def test_the_end_that_was_cut_off_is_found_by_an_anchor(world: PostgresWorld, cut: int) -> None:
    head = filled(world)
    tamper(world, f"DELETE FROM event WHERE position > {12 - cut}")
    assert breaches(world) == set()
    assert breaches(world, head) == {Breach.TRUNCATED}


def test_the_end_sealed_anew_is_found_by_an_anchor(world: PostgresWorld) -> None:
    head = filled(world)
    tamper(world, "UPDATE event SET position = NULL, digest = NULL, actor = 'user:bob' WHERE position > 10")
    assert world.run(SealEvents(world.chain)()) == 2
    assert breaches(world) == set()
    assert breaches(world, head) == {Breach.REWRITTEN}


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations((1, 2, 6, 11, 12), 2)))
def test_every_exchange_of_two_events_is_found(world: PostgresWorld, one: int, other: int) -> None:
    filled(world)
    swap = f"CASE position WHEN {one} THEN {other} ELSE {one} END"
    tamper(world, f"UPDATE event SET position = {swap} WHERE position IN ({one}, {other})")
    assert breaches(world) == {Breach.ALTERED}
    # With the seals left where they were, and the events exchanged below them.
    seals = f"(SELECT digest FROM event AS theirs WHERE theirs.position = {swap.replace('position', 'event.position')})"
    tamper(world, f"UPDATE event SET digest = {seals} WHERE position IN ({one}, {other})")
    assert breaches(world) == {Breach.ALTERED}


@pytest.mark.parametrize("place", [1, 4, 12])
@pytest.mark.parametrize("how", ["beside", "among", "below"])
def test_every_event_that_was_put_in_is_found(world: PostgresWorld, place: int, how: str) -> None:
    filled(world)
    if how == "among":
        tamper(world, f"UPDATE event SET position = position + 1 WHERE position >= {place}")
    tamper(
        world,
        "ALTER TABLE event DROP CONSTRAINT IF EXISTS event_seal",
        "INSERT INTO event (at, subject, kind, actor, data, position, digest) "
        f"SELECT at, subject, kind, 'user:bob', data, {-place if how == 'below' else place}, digest "
        f"FROM event WHERE position = {place if how != 'among' else place + 1}",
    )
    assert breaches(world)


def test_a_sealed_event_is_as_final_as_an_unsealed_one(world: PostgresWorld) -> None:
    filled(world)
    world.run(world.run_log.record(an_event()))
    seal = "position = 99, digest = sha256('x')"
    for statement in (
        "UPDATE event SET actor = 'x' WHERE position = 1",
        "UPDATE event SET digest = sha256('x') WHERE position = 1",
        "UPDATE event SET position = NULL, digest = NULL WHERE position = 12",
        "UPDATE event SET actor = 'x' WHERE position IS NULL",
        f"UPDATE event SET {seal}, actor = 'x' WHERE position IS NULL",
        f"UPDATE event SET {seal}, data = data || '{{\"deep\": 1.0}}' WHERE position IS NULL",
        "DELETE FROM event WHERE position IS NULL",
        "TRUNCATE event",
    ):
        with psycopg.connect(world.url) as connection, pytest.raises(psycopg.errors.RestrictViolation):
            connection.execute(statement.encode())
    for statement in (
        "UPDATE event SET position = 99 WHERE position IS NULL",
        "UPDATE event SET position = 0, digest = sha256('x') WHERE position IS NULL",
        "UPDATE event SET position = 99, digest = 'x' WHERE position IS NULL",
    ):
        with psycopg.connect(world.url) as connection, pytest.raises(psycopg.errors.CheckViolation):
            connection.execute(statement.encode())
    with psycopg.connect(world.url) as connection, pytest.raises(psycopg.errors.UniqueViolation):
        connection.execute("UPDATE event SET position = 1, digest = sha256('x') WHERE position IS NULL")


def test_hostile_events_do_not_stop_the_sealer(world: PostgresWorld) -> None:
    """Nothing of ours writes such, but what has been written has to be sealed, or all after it waits for ever."""
    values = ("'[]'", "(repeat('[', 5000) || repeat(']', 5000))::jsonb", "repeat('9', 6000)::jsonb", "'null'")
    with psycopg.connect(world.url) as connection:
        for value in values:
            connection.execute(
                f"INSERT INTO event (at, subject, kind, actor, data) VALUES (now(), '', '', '', {value})".encode()
            )
        with pytest.raises(psycopg.errors.CheckViolation), connection.transaction():
            connection.execute(
                "INSERT INTO event (at, subject, kind, actor, data) VALUES ('infinity', '', '', '', '{}')"
            )
    assert world.run(SealEvents(world.chain)()) == len(values)
    assert verified(world).findings == ()


@pytest.mark.parametrize("step", ["seal.computed", "seal.written"])
def test_a_sealer_that_dies_leaves_nothing_half_sealed(world: PostgresWorld, step: str) -> None:
    for _ in range(5):
        world.run(world.run_log.record(an_event()))
    with armed(f"{step}=raise"), pytest.raises(FailpointError):
        world.run(world.chain.seal())
    assert world.run(world.chain.unsealed("default")).events == 5
    assert world.run(SealEvents(world.chain)()) == 5
    assert verified(world).findings == ()


def test_a_late_commit_is_sealed_late(world: PostgresWorld) -> None:
    insert = "INSERT INTO event (at, subject, kind, actor, data) VALUES (now(), 's', 'k', 'late', '{}')"
    with psycopg.connect(world.url) as late:
        late.execute(insert)
        world.run(world.run_log.record(an_event()))
        assert world.run(SealEvents(world.chain)()) == 1
        late.commit()
    assert world.run(SealEvents(world.chain)()) == 1
    links = world.run(world.chain.links("default"))
    assert [link.event.actor for link in links] == ["user:ann", "late"]
    assert (links[0].event.seq or 0) > (links[1].event.seq or 0)
    assert verified(world).findings == ()


def test_the_programs_of_the_documentation_agree(world: PostgresWorld, tmp_path: Path) -> None:
    head = filled(world)
    world.run(world.run_log.record(an_event()))
    world.run(SealEvents(world.chain)())
    head = world.run(world.chain.head("default")) or head
    text = (Path(__file__).parents[3] / "docs" / "audit.md").read_text()
    (program,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    with psycopg.connect(world.url) as connection:
        rows = connection.execute("SELECT to_jsonb(event)::text FROM event ORDER BY position").fetchall()
    lines = "".join(f"{row[0]}\n" for row in rows)
    (tmp_path / "check.py").write_text(program)

    def run(given: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, tmp_path / "check.py"], input=given, capture_output=True, text=True)

    assert run(lines).stdout.strip() == head.digest, run(lines).stderr
    assert "broken at position 1" in run(lines.replace("user:ann", "user:bob", 1)).stderr


def test_looking_for_work_reads_no_sealed_event(cluster: Cluster, world: PostgresWorld) -> None:
    from kubescribe.adapters.postgres import event_chain

    with psycopg.connect(world.url, autocommit=True) as connection:
        connection.execute(UNGUARDED)
        connection.execute(
            "INSERT INTO event (at, subject, kind, actor, data, position, digest) "
            "SELECT now(), 's', 'k', 'a', '{}', n, sha256('x') FROM generate_series(1, 20000) AS n"
        )
        connection.execute("ANALYZE event")
        for query, given in (
            (event_chain._UNSEALED_TENANTS, ()),
            (event_chain._HEAD, ("'default'",)),
            (event_chain._LINKS, ("'default'", "500", "1000")),
            (event_chain._WAITING, ("'default'", "1000")),
            (event_chain._ALL_TENANTS, ()),
        ):
            for number, value in enumerate(given, 1):
                query = query.replace(f"${number}", value)
            plan: Any = connection.execute(f"EXPLAIN {query}".encode()).fetchall()
            text = "\n".join(row[0] for row in plan)
            assert "Seq Scan on event" not in text and "Index" in text, text
