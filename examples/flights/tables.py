"""The five tables of the data set: where each comes from, how many rows it has, and how it is kept."""

from __future__ import annotations

from typing import NamedTuple


class Table(NamedTuple):
    """A table and the file that fills it; the file's header names the columns."""

    name: str
    file: str
    """In the package's ``data`` folder; of a ``.zip`` the only member is meant."""
    rows: int
    """Of release 0.0.3, which the demo pins."""
    create: str
    after: tuple[str, ...] = ()
    """Keys and indexes, made when the rows are there: that is faster than keeping them up row by row."""


AIRLINES = Table(
    "airlines",
    "airlines.csv",
    16,
    "CREATE TABLE airlines (carrier text PRIMARY KEY, name text NOT NULL)",
)

AIRPORTS = Table(
    "airports",
    "airports.csv",
    1_458,
    """CREATE TABLE airports (
        faa text PRIMARY KEY, name text NOT NULL, lat double precision NOT NULL, lon double precision NOT NULL,
        alt integer NOT NULL, tz smallint NOT NULL, dst text NOT NULL, tzone text
    )""",
)

PLANES = Table(
    "planes",
    "planes.csv",
    3_322,
    """CREATE TABLE planes (
        tailnum text PRIMARY KEY, year smallint, type text NOT NULL, manufacturer text NOT NULL, model text NOT NULL,
        engines smallint NOT NULL, seats smallint NOT NULL, speed smallint, engine text NOT NULL
    )""",
)

# New York has 1 o'clock twice on 3 November: (origin, year, month, day, hour) is no key, the instant is.
WEATHER = Table(
    "weather",
    "weather.csv",
    26_115,
    """CREATE TABLE weather (
        origin text NOT NULL, year smallint NOT NULL, month smallint NOT NULL, day smallint NOT NULL,
        hour smallint NOT NULL, temp double precision, dewp double precision, humid double precision,
        wind_dir smallint, wind_speed double precision, wind_gust double precision, precip double precision NOT NULL,
        pressure double precision, visib double precision NOT NULL, time_hour timestamptz NOT NULL
    )""",
    (
        "ALTER TABLE weather ADD PRIMARY KEY (origin, time_hour)",
        "ALTER TABLE weather ADD FOREIGN KEY (origin) REFERENCES airports",
    ),
)

# No foreign keys for dest and tailnum: four airports of the Caribbean and every sixth plane are in no table.
FLIGHTS = Table(
    "flights",
    "flights.csv.zip",
    336_776,
    """CREATE TABLE flights (
        year smallint NOT NULL, month smallint NOT NULL, day smallint NOT NULL, dep_time smallint,
        sched_dep_time smallint NOT NULL, dep_delay smallint, arr_time smallint, sched_arr_time smallint NOT NULL,
        arr_delay smallint, carrier text NOT NULL, flight smallint NOT NULL, tailnum text, origin text NOT NULL,
        dest text NOT NULL, air_time smallint, distance smallint NOT NULL, hour smallint NOT NULL,
        minute smallint NOT NULL, time_hour timestamptz NOT NULL
    )""",
    (
        "ALTER TABLE flights ADD PRIMARY KEY (time_hour, carrier, flight)",
        "CREATE INDEX flights_month ON flights (month)",
        "ALTER TABLE flights ADD FOREIGN KEY (origin) REFERENCES airports",
        "ALTER TABLE flights ADD FOREIGN KEY (carrier) REFERENCES airlines",
    ),
)

TABLES = (AIRLINES, AIRPORTS, PLANES, WEATHER, FLIGHTS)
"""In the order in which foreign keys allow to make them."""
