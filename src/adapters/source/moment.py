"""Whether a query's tables still hold the rows of the snapshot's moment.

A snapshot does not protect from everything. TRUNCATE, most changes of a column's type, a table that is loaded anew and
renamed into its place, a refreshed materialized view, a partition that is detached: after these an older snapshot reads
a table without its rows, without a word. It is enough that the snapshot is taken, and the query then waits for the end
of such a transaction. So who has read a query to its end looks at the tables that it has locked (they stay locked until
the transaction ends, so nothing can come in between): a table's file and a parent's partitions, as SQL shows them in
the snapshot, have to be those that the server's own functions know now.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...domain.errors import TablesChanged

if TYPE_CHECKING:
    import psycopg

CHANGED = """
SELECT DISTINCT l.relation::regclass::text
FROM pg_locks l LEFT JOIN pg_class c ON c.oid = l.relation
WHERE l.locktype = 'relation' AND l.pid = pg_backend_pid() AND l.relation >= 16384
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND c.relkind IS DISTINCT FROM 'S' AND pg_get_indexdef(l.relation) IS NULL
  AND l.relation::regclass::text NOT LIKE 'pg\\_toast.%'
  AND (
    -- views and parents have no file; what is new and a partition holds no row that the snapshot should see
    pg_relation_filenode(l.relation) <> coalesce(c.relfilenode, 0)
      AND NOT (c.oid IS NULL AND pg_partition_root(l.relation) IS NOT NULL)
    OR c.relkind = 'p' AND EXISTS (
      SELECT FROM pg_inherits i WHERE i.inhparent = c.oid
        AND pg_partition_root(i.inhrelid) IS DISTINCT FROM pg_partition_root(c.oid))
  )
ORDER BY 1
"""
"""The tables, for the session that has read the query; in its transaction."""


def changed_tables(connection: psycopg.Connection[Any]) -> list[str]:
    """The tables of which rows may be missing from what was read in this transaction.

    VACUUM FULL and CLUSTER keep every row and cannot be told from the others: they are reported too.
    """
    return [str(table) for (table,) in connection.execute(CHANGED).fetchall()]


def check_tables(changed: Sequence[str], name: str) -> None:
    """Raise :class:`TablesChanged` for query ``name`` where there are any."""
    if changed:
        raise TablesChanged(name, tuple(changed))
