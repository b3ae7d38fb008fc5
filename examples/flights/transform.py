"""The two reports, as pure functions over frames.

Definitions that both share:

- *day*: the day of the scheduled departure by New York's clock.
- *cancelled*: the flight has no departure time; *departed*: it has one. The two add up to *flights*.
- *departure delay*: whole minutes, below 0 when early; of departed flights only.
- *late*: more than 15 minutes; *on time*: departed and not late.
- percentiles are SQL's ``percentile_cont``; means have 2 decimals (of precipitation 3), shares and rates 4, rounded
  half away from zero (see ``rounding``).
"""

from __future__ import annotations

import polars as pl

from .rounding import percentile, ratio, scaled, unscaled

LATE_AFTER = 15
"""Minutes."""

_departed = pl.col("dep_time").is_not_null()
_delay = pl.col("dep_delay").filter(_departed)


def airport_delays(flights: pl.DataFrame, weather: pl.DataFrame) -> pl.DataFrame:
    """Departure delay by airport, day and carrier, with the weather in which the flights were to leave.

    ``flights``: origin, day, carrier, time_hour, dep_time, dep_delay. ``weather``: origin, time_hour, temp (°F),
    wind_speed (mph), precip (inches in that hour), visib (miles). One row per (origin, day, carrier), in that order.

    ``mean_dep_delay``, ``median_dep_delay``, ``p90_dep_delay`` (minutes) and ``late_share`` are of the departed
    flights, and null when none departed. The weather is that of the airport and hour of the scheduled departure;
    every scheduled flight counts once, a cancelled one too, since the weather may be why. ``weather_flights`` is the
    number whose hour was observed; the others, and hours in which one instrument was silent, are left out of its
    mean, which is null when nothing is left. ``wet_share`` is the share of the observed flights with measurable
    precipitation, ``min_visibility_km`` the worst visibility.
    """
    # m:1, so that a doubled hour would be an error here and not a doubled flight in the report.
    joined = flights.join(metric(weather), on=["origin", "time_hour"], how="left", validate="m:1")
    return (
        joined.group_by("origin", "day", "carrier")
        .agg(
            *_counts(),
            ratio(_delay.sum(), _delay.count(), 2).alias("mean_dep_delay"),
            percentile(_delay, 0.5).alias("median_dep_delay"),
            percentile(_delay, 0.9).alias("p90_dep_delay"),
            ratio((_delay > LATE_AFTER).sum(), _delay.count(), 4).alias("late_share"),
            pl.col("precipitation").count().cast(pl.Int64).alias("weather_flights"),
            _mean("temperature", 1).alias("mean_temperature_c"),
            _mean("wind", 1).alias("mean_wind_kmh"),
            _mean("precipitation", 2).alias("mean_precipitation_mm"),
            ratio((pl.col("precipitation") > 0).sum(), pl.col("precipitation").count(), 4).alias("wet_share"),
            unscaled(pl.col("visibility").min(), 2).alias("min_visibility_km"),
        )
        .sort("origin", "day", "carrier")
    )


def carrier_league(flights: pl.DataFrame, airlines: pl.DataFrame) -> pl.DataFrame:
    """The carriers by punctuality, one row for each that has flights, the best first.

    ``flights``: carrier, dep_time, dep_delay. ``airlines``: carrier, name.

    ``cancellation_rate`` and ``on_time_share`` are of all scheduled flights: a cancelled flight is not on time. The
    delays (minutes) are of the departed ones. ``rank`` is by ``on_time_share`` as shown: carriers that show the same
    share the better rank (1, 2, 2, 4) and are in the order of their codes.
    """
    on_time = (_delay <= LATE_AFTER).sum()
    return (
        flights.group_by("carrier")
        .agg(
            *_counts(),
            ratio((~_departed).sum(), pl.len(), 4).alias("cancellation_rate"),
            ratio(_delay.sum(), _delay.count(), 2).alias("mean_dep_delay"),
            percentile(_delay, 0.5).alias("p50_dep_delay"),
            percentile(_delay, 0.9).alias("p90_dep_delay"),
            percentile(_delay, 0.99).alias("p99_dep_delay"),
            ratio(on_time, pl.len(), 4).alias("on_time_share"),
        )
        .join(airlines.select("carrier", "name"), on="carrier", how="left", validate="m:1")
        .with_columns(pl.col("on_time_share").rank("min", descending=True).cast(pl.Int64).alias("rank"))
        .sort("rank", "carrier")
        .select("rank", "carrier", "name", pl.exclude("rank", "carrier", "name"))
    )


def metric(weather: pl.DataFrame) -> pl.DataFrame:
    """The observations in metric units, as integers: 0.1 °C, 0.1 km/h, 0.01 mm, 0.01 km.

    That is as fine as the stations measure (0.1 °C, 1 knot, 0.01 inch), so converting hour by hour loses nothing.
    """
    return weather.select(
        "origin",
        "time_hour",
        scaled((pl.col("temp") - 32) / 1.8, 1).alias("temperature"),
        scaled(pl.col("wind_speed") * 1.609344, 1).alias("wind"),
        scaled(pl.col("precip") * 25.4, 2).alias("precipitation"),
        scaled(pl.col("visib") * 1.609344, 2).alias("visibility"),
    )


def _counts() -> tuple[pl.Expr, ...]:
    return (
        pl.len().cast(pl.Int64).alias("flights"),
        _departed.sum().cast(pl.Int64).alias("departed"),
        (~_departed).sum().cast(pl.Int64).alias("cancelled"),
    )


def _mean(column: str, digits: int) -> pl.Expr:
    """Over the flights that have the observation, from integers of 10^-digits, with one digit more than those."""
    observed = pl.col(column)
    return ratio(observed.sum(), observed.count().cast(pl.Int64) * 10**digits, digits + 1)
