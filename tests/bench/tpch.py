"""TPC-H's data in a server of our own, for the data plane's benchmarks."""

from __future__ import annotations

import subprocess
import sysconfig
from pathlib import Path

import psycopg

_TABLE = """
CREATE TABLE lineitem (
    l_orderkey bigint NOT NULL, l_partkey bigint NOT NULL, l_suppkey bigint NOT NULL, l_linenumber integer NOT NULL,
    l_quantity numeric(15,2) NOT NULL, l_extendedprice numeric(15,2) NOT NULL, l_discount numeric(15,2) NOT NULL,
    l_tax numeric(15,2) NOT NULL, l_returnflag char(1) NOT NULL, l_linestatus char(1) NOT NULL,
    l_shipdate date NOT NULL, l_commitdate date NOT NULL, l_receiptdate date NOT NULL,
    l_shipinstruct char(25) NOT NULL, l_shipmode char(10) NOT NULL, l_comment varchar(44) NOT NULL)
"""


def load(url: str, scale: str, folder: Path) -> int:
    """Table ``lineitem`` at this scale factor (1: six million rows); returns how many rows."""
    program = Path(sysconfig.get_path("scripts"), "tpchgen-cli")
    made = [str(program), "csv", "-s", scale, "--tables=lineitem", "--output-dir", str(folder)]
    subprocess.run(made, check=True, stdout=subprocess.DEVNULL)
    file = folder / "lineitem.csv"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_TABLE)
        with (
            file.open("rb") as rows,
            connection.cursor() as cursor,
            cursor.copy("COPY lineitem FROM STDIN (FORMAT csv, HEADER)") as copy,
        ):
            while data := rows.read(2**20):
                copy.write(data)
        connection.execute("VACUUM ANALYZE lineitem")
        found = connection.execute("SELECT count(*) FROM lineitem").fetchone()
    file.unlink()
    assert found is not None
    return int(found[0])
