"""What in the database depends on a report's view: other views, functions, rules."""

from __future__ import annotations

from .names import literal, qualified


def dependants_query(schema: str, report: str) -> str:
    """A query for the descriptions of everything that dropping the view would break, without parameters."""
    view = f"to_regclass({literal(qualified(schema, report))})"
    return f"""
SELECT DISTINCT CASE WHEN d.classid = 'pg_rewrite'::regclass
         THEN (SELECT pg_describe_object('pg_class'::regclass, w.ev_class, 0) FROM pg_rewrite w WHERE w.oid = d.objid)
         ELSE pg_describe_object(d.classid, d.objid, 0) END AS dependant
FROM pg_depend d
WHERE d.deptype IN ('n', 'a')
  AND (d.refclassid = 'pg_class'::regclass AND d.refobjid = {view}
       OR d.refclassid = 'pg_type'::regclass
          AND d.refobjid IN (SELECT unnest(ARRAY[t.oid, t.typarray]) FROM pg_type t WHERE t.typrelid = {view}))
  AND NOT (d.classid = 'pg_rewrite'::regclass
           AND EXISTS (SELECT FROM pg_rewrite w WHERE w.oid = d.objid AND w.ev_class = {view}))
ORDER BY 1
"""  # noqa: S608 - quoted
