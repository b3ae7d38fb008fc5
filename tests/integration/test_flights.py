"""The demo's data set, and its reports against the same figures computed by PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import polars as pl
import psycopg
import pytest
from examples.flights import dataset, queries, transform
from polars.testing import assert_frame_equal

from tests.support.clusters import Cluster

# One group: the rows are loaded once, by one worker.
pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("flights")]

COUNTS = {"airlines": 16, "airports": 1_458, "planes": 3_322, "weather": 26_115, "flights": 336_776}
MONTHS = pytest.mark.parametrize("month", [None, 2])

# Written without a look at transform.py: the weather is found by New York's clock, and the arithmetic is numeric's.
AIRPORT_DELAYS = """
    WITH observed AS (
        SELECT origin, time_hour,
               round(((temp - 32) * 5 / 9)::numeric, 1) AS celsius,
               round((wind_speed * 1.609344)::numeric, 1) AS kmh,
               round((precip * 25.4)::numeric, 2) AS mm,
               round((visib * 1.609344)::numeric, 2) AS km
        FROM weather
    ), scheduled AS (
        SELECT f.*, make_date(year, month, day) AS date,
               make_timestamptz(year, month, day, sched_dep_time / 100, 0, 0, 'America/New_York') AS hour_of
        FROM flights f
        WHERE %(month)s::int IS NULL OR month = %(month)s::int
    )
    SELECT s.origin, s.date AS day, s.carrier,
           count(*) AS flights,
           count(*) FILTER (WHERE dep_time IS NOT NULL) AS departed,
           count(*) FILTER (WHERE dep_time IS NULL) AS cancelled,
           round(avg(dep_delay), 2)::float8 AS mean_dep_delay,
           round((percentile_cont(0.5) WITHIN GROUP (ORDER BY dep_delay))::numeric, 2)::float8 AS median_dep_delay,
           round((percentile_cont(0.9) WITHIN GROUP (ORDER BY dep_delay))::numeric, 2)::float8 AS p90_dep_delay,
           round(avg(CASE WHEN dep_delay > 15 THEN 1 WHEN dep_delay <= 15 THEN 0 END), 4)::float8 AS late_share,
           count(o.origin) AS weather_flights,
           round(avg(celsius), 2)::float8 AS mean_temperature_c,
           round(avg(kmh), 2)::float8 AS mean_wind_kmh,
           round(avg(mm), 3)::float8 AS mean_precipitation_mm,
           round(avg(CASE WHEN mm > 0 THEN 1 WHEN mm = 0 THEN 0 END), 4)::float8 AS wet_share,
           min(km)::float8 AS min_visibility_km
    FROM scheduled s LEFT JOIN observed o ON o.origin = s.origin AND o.time_hour = s.hour_of
    GROUP BY s.origin, s.date, s.carrier
    ORDER BY s.origin COLLATE "C", s.date, s.carrier COLLATE "C"
"""

CARRIER_LEAGUE = """
    WITH figures AS (
        SELECT carrier, name,
               count(*) AS flights,
               count(dep_time) AS departed,
               count(*) - count(dep_time) AS cancelled,
               round((count(*) - count(dep_time))::numeric / count(*), 4)::float8 AS cancellation_rate,
               round(avg(dep_delay), 2)::float8 AS mean_dep_delay,
               percentile_cont(ARRAY[0.5, 0.9, 0.99]) WITHIN GROUP (ORDER BY dep_delay) AS p,
               round((count(*) FILTER (WHERE dep_delay <= 15))::numeric / count(*), 4)::float8 AS on_time_share
        FROM flights JOIN airlines USING (carrier)
        WHERE %(month)s::int IS NULL OR month = %(month)s::int
        GROUP BY carrier, name
    )
    SELECT rank() OVER (ORDER BY on_time_share DESC) AS rank, carrier, name, flights, departed, cancelled,
           cancellation_rate, mean_dep_delay, round(p[1]::numeric, 2)::float8 AS p50_dep_delay,
           round(p[2]::numeric, 2)::float8 AS p90_dep_delay, round(p[3]::numeric, 2)::float8 AS p99_dep_delay,
           on_time_share
    FROM figures
    ORDER BY rank, carrier COLLATE "C"
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster() as running:
        yield running


@pytest.fixture(scope="module")
def production(cluster: Cluster) -> str:
    url = cluster.create_database("production")
    assert dataset.load(url, lambda _: None) == COUNTS
    return url


def fetch(url: str, query: str, month: int | None) -> pl.DataFrame:
    """The rows, with the types that the pipeline's own reader gives them."""
    types: dict[str, Any] = {
        "int2": pl.Int16, "int8": pl.Int64, "float8": pl.Float64, "text": pl.String, "date": pl.Date,
        "timestamptz": pl.Datetime("us", "UTC"),
    }  # fmt: skip
    with psycopg.connect(url) as connection:
        cursor = connection.execute(query.replace(":month", "%(month)s").encode(), {"month": month})
        assert cursor.description is not None
        names = {info.oid: info.name for info in connection.adapters.types}
        schema = {column.name: types[names[column.type_code]] for column in cursor.description}
        return pl.DataFrame(cursor.fetchall(), schema=schema, orient="row")


def compute_delays(url: str, month: int | None) -> pl.DataFrame:
    flights, weather = fetch(url, queries.FLIGHTS, month), fetch(url, queries.WEATHER, month)
    return transform.airport_delays(flights, weather)


@MONTHS
def test_airport_delays_are_those_of_sql(production: str, month: int | None) -> None:
    report, expected = compute_delays(production, month), fetch(production, AIRPORT_DELAYS, month)
    assert report.height == {None: 11_864, 2: 884}[month]
    assert_frame_equal(report, expected, check_exact=True)


@MONTHS
def test_the_carrier_league_is_that_of_sql(production: str, month: int | None) -> None:
    flights, airlines = fetch(production, queries.FLIGHTS, month), fetch(production, queries.AIRLINES, None)
    report, expected = transform.carrier_league(flights, airlines), fetch(production, CARRIER_LEAGUE, month)
    assert report["flights"].sum() == {None: 336_776, 2: 24_951}[month]
    assert_frame_equal(report, expected, check_exact=True)


def test_the_weather_of_another_hour_would_be_noticed(production: str) -> None:
    flights, weather = fetch(production, queries.FLIGHTS, 2), fetch(production, queries.WEATHER, 2)
    late = weather.with_columns(pl.col("time_hour").dt.offset_by("1h"))
    with pytest.raises(AssertionError, match="mean_temperature_c"):
        columns = ["origin", "day", "carrier", "mean_temperature_c"]
        expected = fetch(production, AIRPORT_DELAYS, 2).select(columns)
        assert_frame_equal(transform.airport_delays(flights, late).select(columns), expected, check_exact=True)


def test_a_doubled_hour_of_weather_is_an_error(production: str) -> None:
    flights, weather = fetch(production, queries.FLIGHTS, 2), fetch(production, queries.WEATHER, 2)
    with pytest.raises(pl.exceptions.ComputeError, match="m:1"):
        transform.airport_delays(flights, pl.concat([weather, weather.head(1)]))


def test_no_weather_gives_nulls_and_no_guesses(production: str) -> None:
    without = compute_delays(production, None).filter(pl.col("weather_flights") == 0)
    assert without.height > 0
    assert without["day"].max() == pl.Series(["2013-12-31"]).str.to_date().item()
    figures = without.select("mean_temperature_c", "mean_wind_kmh", "mean_precipitation_mm", "min_visibility_km")
    assert figures.null_count().row(0) == (without.height,) * 4
    assert without["wet_share"].null_count() == without.height


def test_a_day_without_departures_has_counts_and_no_delays(production: str) -> None:
    grounded = compute_delays(production, None).filter(pl.col("departed") == 0)
    assert grounded.height == 14
    assert grounded["cancelled"].to_list() == grounded["flights"].to_list()
    assert grounded.select("mean_dep_delay", "median_dep_delay", "p90_dep_delay", "late_share").null_count().row(0) == (
        14, 14, 14, 14,
    )  # fmt: skip


def test_a_month_without_flights_gives_empty_reports(production: str) -> None:
    flights, weather = fetch(production, queries.FLIGHTS, 13), fetch(production, queries.WEATHER, 13)
    whole = compute_delays(production, 2)
    assert transform.airport_delays(flights, weather).schema == whole.schema
    assert transform.carrier_league(flights, fetch(production, queries.AIRLINES, None)).height == 0


def test_the_facts_that_the_figures_rest_on(production: str) -> None:
    with psycopg.connect(production) as connection:

        def one(query: str) -> Any:
            row = connection.execute(query.encode()).fetchone()
            assert row is not None
            return row[0]

        local = "make_timestamptz(year, month, day, hour, 0, 0, 'America/New_York')"
        for table in ("flights", "weather"):
            # Of the two hours called 1 on 3 November PostgreSQL takes the second; the first is one hour earlier.
            off = one(f"SELECT count(*) FROM {table} WHERE time_hour NOT IN ({local}, {local} - interval '1 hour')")
            assert off == 0
            repeated = one(f"SELECT count(*) FROM {table} WHERE time_hour <> {local}")
            assert repeated == {"flights": 0, "weather": 3}[table]
        assert one("SELECT count(*) FROM flights WHERE (dep_time IS NULL) <> (dep_delay IS NULL)") == 0
        assert one("SELECT count(*) FROM flights WHERE dep_time IS NULL") == 8_255
        # COPY reads only NA as null: an empty text would have come through as one.
        texts = """
            SELECT table_name, column_name FROM information_schema.columns
            WHERE table_schema = 'public' AND data_type = 'text'
        """
        for table, column in connection.execute(texts).fetchall():
            assert one(f"SELECT count(*) FROM {table} WHERE {column} IN ('', 'NA')") == 0, (table, column)
        joined = "flights f JOIN weather w USING (origin, time_hour)"
        assert one(f"SELECT count(*) FROM {joined}") == 336_776 - 1_556
        assert one(f"SELECT max(wind_speed) FROM {joined}") < 80  # the 1,048 mph at Newark met no flight


def test_loading_again_does_nothing_and_does_it_quickly(production: str) -> None:
    heard: list[str] = []
    started = time.perf_counter()
    assert dataset.load(production, heard.append) == COUNTS
    assert time.perf_counter() - started < 0.5  # 0.02 on a quiet machine
    assert heard == ["the tables are there already"]


def test_a_damaged_table_is_loaded_anew(cluster: Cluster, production: str) -> None:
    url = cluster.create_database("damaged", template="production")
    with psycopg.connect(url) as connection:
        connection.execute("DELETE FROM flights WHERE month = 7")
    assert dataset.load(url, lambda _: None) == COUNTS
    cluster.drop_database("damaged")


def test_a_table_of_somebody_else_is_never_touched(cluster: Cluster) -> None:
    url = cluster.create_database("theirs")
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE planes AS SELECT 1 AS ours")
    with pytest.raises(dataset.DatasetError, match="a table planes already"):
        dataset.load(url, lambda _: None)
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT * FROM planes").fetchall() == [(1,)]
        assert connection.execute("SELECT to_regclass('flights')").fetchall() == [(None,)]
