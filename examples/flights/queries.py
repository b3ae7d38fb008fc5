"""What the pipeline reads from the production database. ``:month`` is a bind: one month, or null for the year."""

FLIGHTS = """
    SELECT origin, make_date(year, month, day) AS day, carrier, time_hour, dep_time, dep_delay
    FROM flights
    WHERE CAST(:month AS integer) IS NULL OR month = CAST(:month AS integer)
"""

WEATHER = """
    SELECT origin, time_hour, temp, wind_speed, precip, visib
    FROM weather
    WHERE CAST(:month AS integer) IS NULL OR month = CAST(:month AS integer)
"""

AIRLINES = "SELECT carrier, name FROM airlines"
