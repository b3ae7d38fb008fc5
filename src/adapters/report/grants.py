"""What was granted and said of a report's view, to be granted and said again of the one that takes its place."""

from __future__ import annotations

from typing import Any

from ...domain.report import Staged
from .names import literal, qualified
from .schema import revoke_default_grants


async def granted_again(connection: Any, item: Staged, schema: str) -> list[str]:
    """The statements that give a new view of the name the rights and the comment that the present one has.

    Neither more nor less: what default privileges give to a new view is taken back first.
    """
    name = qualified(schema, item.spec.name)
    kept = [column.name for column in item.columns]
    rows = await connection.fetch(_GRANTS, name, kept)
    statements = [revoke_default_grants(schema, item.spec.name)] if rows[0]["has_view"] else []
    statements += [row["statement"] for row in rows if row["statement"] is not None]
    comment = await connection.fetchval("SELECT obj_description(to_regclass($1), 'pg_class')", name)
    if comment is not None:
        statements.append(f"COMMENT ON VIEW {name} IS {literal(comment)}")
    return statements


_GRANTS = """
WITH granted AS (
  SELECT c.relowner, a.grantee, a.privilege_type, a.is_grantable, '' AS columns
  FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = to_regclass($1)
  UNION ALL
  SELECT c.relowner, a.grantee, a.privilege_type, a.is_grantable, format(' (%I)', t.attname)
  FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid, aclexplode(t.attacl) a
  WHERE c.oid = to_regclass($1) AND t.attname = ANY ($2::text[])
)
SELECT to_regclass($1) IS NOT NULL AS has_view, g.statement
FROM (SELECT) AS always LEFT JOIN LATERAL (
  SELECT format('GRANT %s%s ON %s TO %s%s', privilege_type, columns, $1,
                CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
                CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END) AS statement
  FROM granted WHERE grantee <> relowner) AS g ON true
"""
