"""What every adapter of the port Staging promises."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from uuid import uuid4

import polars as pl
import pytest

from kubescribe.application.ports.source import InputRecord
from kubescribe.domain.errors import DatabaseUnavailable, ReportMismatch, UnsupportedType
from kubescribe.domain.report import Column, ReportSpec
from tests.support.publishing import SMALL, World, run, small


def test_a_prepared_staging_may_publish(world: World) -> None:
    world.staging.prepare()


def test_what_is_staged_says_what_it_is(world: World) -> None:
    attempt = world.attempt()
    staged = attempt.stage(key=("k",))
    assert (staged.run_id, staged.attempt_id, staged.rows) == (attempt.run_id, attempt.attempt_id, 3)
    assert staged.columns == (Column("k", "bigint"), Column("t", "text"))
    assert staged.spec.key == ("k",)
    assert staged.bytes > 0
    assert staged.checksum.startswith("sha256:")
    assert len(staged.checksum) == len("sha256:") + 64
    assert 0 < staged.seconds < 60


def test_the_checksum_tells_rows_and_their_order_apart(world: World) -> None:
    sums = [
        world.attempt().stage(frame).checksum
        for frame in (SMALL, SMALL, SMALL.reverse(), SMALL.with_columns(t=pl.col("t").fill_null("")))
    ]
    assert sums[0] == sums[1]
    assert len(set(sums)) == 3


def test_several_frames_are_one_version(world: World) -> None:
    attempt = world.attempt()
    staged = attempt.stage([small(1), small(4).clear(), small(4), small(7)])
    assert staged.rows == 9
    attempt.publish(staged)
    assert sorted(row[0] for row in world.read("airports") or ()) == list(range(1, 10))


def test_a_format_that_it_does_not_read_is_refused(world: World) -> None:
    class Strange:
        format = "clay tablets"
        columns = (Column("k", "bigint"),)

        def __iter__(self) -> Iterator[bytes]:
            return iter(())

        def record(self) -> InputRecord:
            raise AssertionError("nothing was read")

    with pytest.raises(ReportMismatch, match="the rows come as clay tablets"):
        world.staging.relay(ReportSpec(name="airports"), Strange(), run_id=uuid4(), attempt_id=uuid4())


def test_no_rows_are_fine(world: World) -> None:
    attempt = world.attempt()
    staged = attempt.stage(SMALL.clear())
    assert staged.rows == 0
    attempt.publish(staged)
    assert world.read("airports") == []


def test_frames_of_two_schemas_are_refused(world: World) -> None:
    attempt = world.attempt()
    for second in (SMALL.rename({"k": "q"}), SMALL.with_columns(pl.col("k").cast(pl.Int32)), SMALL.select("t", "k")):
        with pytest.raises(ReportMismatch, match="in a later frame"):
            attempt.stage([SMALL, second])
    assert run(world.publisher.staged(attempt.run_id, attempt.attempt_id)) == ()


def test_frames_whose_types_differ_only_to_polars_are_refused_too(world: World) -> None:
    with pytest.raises(ReportMismatch, match="two frames differ"):
        world.attempt().stage([SMALL, SMALL.with_columns(pl.col("t").cast(pl.Categorical))])


def test_no_frame_at_all_is_refused(world: World) -> None:
    with pytest.raises(ReportMismatch, match="there is no frame"):
        world.attempt().stage([])


def test_a_frame_without_columns_is_refused(world: World) -> None:
    with pytest.raises(ReportMismatch, match="there are no columns"):
        world.attempt().stage(pl.DataFrame())


@pytest.mark.parametrize("name", ["_version", "_run_id", "ctid", "xmin", "", "é" * 32, "a\0b"])
def test_a_name_that_no_column_can_have_is_refused(world: World, name: str) -> None:
    with pytest.raises(ReportMismatch):
        world.attempt().stage(pl.DataFrame({name: [1], "fine": [2]}))


def test_any_other_name_is_kept(world: World) -> None:
    names = ["select", 'say "hi"', "per cent %s {} :x", "é" * 31, "^a.*$", "*", "a;--", "\\", "' '", "Upper", "1", "\n"]
    frame = pl.DataFrame({name: [number] for number, name in enumerate(names)})
    world.published(frame, key=tuple(names[:3]))
    assert run(world.catalogue.head("airports")) == ({name: number for number, name in enumerate(names)},)
    assert run(world.publisher.check((world.attempt().stage(frame, key=tuple(names)),))) == ()


def test_a_key_that_is_no_column_is_refused(world: World) -> None:
    with pytest.raises(ReportMismatch, match="the key's column nobody is missing"):
        world.attempt().stage(key=("nobody",))


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (SMALL.drop("t"), ["column t is missing"]),
        (SMALL.select(pl.lit(1).alias("x"), "k", "t"), ["column x is additional"]),
        (SMALL.select("k", "t", pl.lit(1).alias("x")).drop("t"), ["column t is missing", "column x is additional"]),
        (SMALL.with_columns(pl.col("k").cast(pl.Int32)), ["column k is integer and not bigint"]),
        (SMALL.select("t", "k"), ["the columns come as t, k and not as k, t"]),
        (pl.DataFrame({"t": [1], "z": [2]}), ["column k is missing", "column z is additional", "column t is bigint"]),
    ],
)
def test_every_difference_to_the_report_is_named_before_a_row_is_read(
    world: World, frame: pl.DataFrame, words: list[str]
) -> None:
    world.published()
    attempt = world.attempt()
    frames = iter([frame, frame])
    with pytest.raises(ReportMismatch) as caught:
        world.staging.stage(ReportSpec(name="airports"), frames, run_id=attempt.run_id, attempt_id=attempt.attempt_id)
    assert all(word in str(caught.value) for word in words)
    assert next(frames, None) is not None
    assert len(world.read("airports") or ()) == 3


@pytest.mark.parametrize(
    "values",
    [
        pl.Series("x", [[1]], dtype=pl.List(pl.Int64)),
        pl.Series("x", [[1, 2]], dtype=pl.Array(pl.Int64, 2)),
        pl.Series("x", [{"a": 1}]),
        pl.Series("x", [object()], dtype=pl.Object),
        pl.Series("x", [None], dtype=pl.Null),
        pl.Series("x", [1], dtype=pl.UInt128),
        pl.Series("x", ["a\0b"]),
        pl.Series("x", ["ok", "a\0b"], dtype=pl.Categorical),
        pl.Series("x", [1], dtype=pl.Datetime("ns")),
        pl.Series("x", [1], dtype=pl.Time),
        pl.Series("x", [1], dtype=pl.Duration("ns")),
        pl.Series("x", [2**62], dtype=pl.Duration("ms")),
        pl.Series("x", [2**62], dtype=pl.Datetime("us")),
        pl.Series("x", [-(2**31)], dtype=pl.Date),
        pl.Series("x", [-62_135_596_800_001], dtype=pl.Datetime("ms", "Asia/Tokyo")),
    ],
    ids=lambda values: f"{values.dtype}",
)
def test_what_cannot_be_kept_exactly_is_refused_with_its_column_and_a_remedy(world: World, values: pl.Series) -> None:
    attempt = world.attempt()
    with pytest.raises(UnsupportedType) as caught:
        attempt.stage(pl.DataFrame({"fine": [1] * len(values)}).with_columns(values))
    assert caught.value.column == "x"
    assert caught.value.remedy
    assert run(world.publisher.staged(attempt.run_id, attempt.attempt_id)) == ()


def test_values_at_the_edges_are_kept(world: World) -> None:
    frame = pl.DataFrame(
        {
            "day": [date(1, 1, 1), date(9999, 12, 31)],
            "at": [datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999999)],
            "clock": [time(0), time(23, 59, 59, 999999)],
            "took": [timedelta(microseconds=-1), timedelta(days=999999)],
            "big": pl.Series([0, 2**64 - 1], dtype=pl.UInt64),
            "yes": [True, None],
            "raw": [b"", b"\x00\xff\\"],
        }
    )
    world.published(frame)
    assert sorted(world.read("airports") or ()) == frame.rows()


def test_staging_again_replaces_what_this_attempt_had_staged(world: World) -> None:
    attempt, other = world.attempt(), world.attempt()
    attempt.stage(small(1))
    others = other.stage(small(9))
    second = attempt.stage(small(5))
    assert [item.version for item in run(world.publisher.staged(attempt.run_id, attempt.attempt_id))] == [
        second.version
    ]
    attempt.publish(second)
    assert min(row[0] for row in world.read("airports") or ()) == 5
    assert other.publish(others)


def test_a_failing_source_leaves_nothing_staged(world: World) -> None:
    def frames() -> object:
        yield small(1)
        raise RuntimeError("the source broke")

    attempt = world.attempt()
    with pytest.raises(RuntimeError, match="the source broke"):
        world.staging.stage(
            ReportSpec(name="airports"),
            frames(),  # type: ignore[arg-type]
            run_id=attempt.run_id,
            attempt_id=attempt.attempt_id,
        )
    assert run(world.publisher.staged(attempt.run_id, attempt.attempt_id)) == ()
    assert attempt.publish(attempt.stage())


def test_what_was_staged_outlives_the_staging(world: World) -> None:
    attempt = world.attempt()
    staged = attempt.stage()
    world.staging.close()
    world.staging.close()
    assert attempt.publish(staged)
    assert world.attempt().stage()


def test_a_database_that_is_away_says_so(world: World) -> None:
    away = world.away().staging
    with pytest.raises(DatabaseUnavailable):
        away.prepare()
    with pytest.raises(DatabaseUnavailable):
        away.stage(ReportSpec(name="airports"), [SMALL], run_id=uuid4(), attempt_id=uuid4())
