"""The demo's pipeline: two reports on the punctuality of New York's airports and carriers."""

from __future__ import annotations

import polars as pl

from kubescribe import Context, between, not_null, pipeline, rows, sql, unique

from . import queries, transform

_FLIGHTS_OF_2013 = 336_776  # what a progress bar may count on; a wrong guess costs nothing else


@pipeline(
    schedule="15 5 * * *",
    timezone="America/New_York",
    run_deadline="10m",
    reports=("airport_delays", "carrier_league"),
)
def airport_delays(run: Context, month: int | None = None) -> None:
    """Departure delays by airport, day and carrier with the weather, and the carriers by punctuality.

    ``month`` (1 to 12) makes the reports of that month alone; without it they are of the whole year.
    """
    flights = _read_flights(run, month)
    weather = run.read(queries.WEATHER, name="weather", month=month)
    airlines = run.read(queries.AIRLINES, name="airlines")
    run.source_done()  # production has nothing more to do for us: let its snapshot go before the work starts

    run.progress(0.5, "joining the weather")
    daily = transform.airport_delays(flights, weather)
    run.progress(0.7, "ranking the carriers")
    league = transform.carrier_league(flights, airlines)

    cancelled = int(league["cancelled"].sum())
    unobserved = flights.height - int(daily["weather_flights"].sum())
    run.metric("flights", flights.height)
    run.metric("cancelled", cancelled)
    run.metric("flights_without_weather", unobserved)
    if unobserved:
        run.note(f"{unobserved:,} of {flights.height:,} flights have no weather observation; their weather is null")

    run.progress(0.8, "writing the reports")
    key = ["origin", "day", "carrier"]
    run.report(
        "airport_delays",
        daily,
        key=key,
        checks=[
            rows(min=1),
            unique(*key),
            not_null(*key, "flights", "departed", "cancelled"),
            between("late_share", 0, 1),
            # Newark's anemometer once reported 1,048 mph: the strongest wind ever measured was 408 km/h.
            between("mean_wind_kmh", 0, 408),
            sql(
                "departed_and_cancelled_are_all",
                "SELECT origin, day, carrier FROM staged WHERE departed + cancelled <> flights",
            ),
        ],
    )
    run.report(
        "carrier_league",
        league,
        key=["carrier"],
        checks=[
            rows(min=1, max=16),
            unique("carrier"),
            not_null("rank", "carrier", "name"),
            between("on_time_share", 0, 1),
            between("cancellation_rate", 0, 1),
        ],
    )


def _read_flights(run: Context, month: int | None) -> pl.DataFrame:
    """All flights asked for, a batch at a time, so that the reading can be watched."""
    batches: list[pl.DataFrame] = []
    expected = _FLIGHTS_OF_2013 / (12 if month else 1)
    read = 0
    for batch in run.scan(queries.FLIGHTS, name="flights", month=month):
        batches.append(batch)
        read += batch.height
        run.progress(min(0.45, 0.45 * read / expected), f"read {read:,} flights")
    return pl.concat(batches)
