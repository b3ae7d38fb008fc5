"""No value ever gets into the text of a statement, and no name that is not the catalogue's."""

from __future__ import annotations

from uuid import UUID

import pytest

from kubescribe.adapters.report.row_query import page_statement, stream_statement
from kubescribe.application.row_plan import Plan, plan
from kubescribe.domain.errors import BadRowQuery
from kubescribe.domain.report import Column
from kubescribe.domain.report_query import Filter, Operator, RowQuery, Sort
from tests.support.payloads import injections

COLUMNS = (Column("k", "bigint"), Column("t", "text"), Column('odd "name', "timestamp with time zone"))
TABLE = '"reports"."r__v1"'


def planned(filters: tuple[Filter, ...] = (), sort: tuple[Sort, ...] = (), columns: tuple[str, ...] = ()) -> Plan:
    return plan(RowQuery(report="r", filters=filters, sort=sort, columns=columns), COLUMNS, ("k",), unique=False)


def test_twenty_thousand_injections_leave_the_statement_as_it_is() -> None:
    def statement(text: str) -> tuple[str, tuple[object, ...]]:
        filters = tuple(Filter("t", one, (text,)) for one in Operator if one not in (Operator.IN, Operator.IS_NULL))
        asked = planned((*filters, Filter("t", Operator.IN, (text, "x"))), (Sort("t"),))
        made = page_statement(TABLE, asked, limit=3, without=(UUID(int=1),), after=(text, 1, (0, 1)))
        return made.text, made.values

    harmless, _ = statement("x")
    assert "x" not in harmless.replace("text", "")
    for text in injections(20_000):
        made, values = statement(text)
        assert made == harmless
        assert values.count(text) >= 8


def test_twenty_thousand_injections_are_no_columns_and_no_values_of_other_types() -> None:
    for text in injections(20_000):
        for filters, sort, columns in (
            ((), (Sort(text),), ()),
            ((), (), (text,)),
            ((Filter(text, Operator.EQ, ("1",)),), (), ()),
            ((Filter("k", Operator.EQ, (text,)),), (), ()),
            ((Filter('odd "name', Operator.IN, (text,)),), (), ()),
            ((Filter("t", Operator.IS_NULL, (text,)),), (), ()),
        ):
            with pytest.raises(BadRowQuery):
                planned(filters, sort, columns)


def test_names_are_quoted() -> None:
    made = stream_statement(TABLE, planned(sort=(Sort('odd "name', True),), columns=('odd "name',)), in_order=True)
    assert made.text == (
        'SELECT r."odd ""name"::text FROM "reports"."r__v1" AS r '
        'ORDER BY r."odd ""name" DESC NULLS LAST, r."k" DESC NULLS LAST, r.ctid DESC'
    )


def test_a_unique_key_is_one_comparison_that_an_index_answers() -> None:
    asked = plan(RowQuery(report="r"), COLUMNS, ("k", "t"), unique=True)
    made = page_statement(TABLE, asked, limit=3, after=(7, "x"))
    assert 'WHERE (r."k", r."t") > ($1::bigint, $2::text) ORDER BY r."k", r."t" LIMIT' in made.text


def test_the_text_of_a_type_never_gets_into_a_statement() -> None:
    for kind in ("bigint; DROP TABLE x", "text)", "numeric(1,1); x", "timestamp(3) without time zone", "uuid"):
        odd = (Column("k", kind),)
        query = RowQuery(report="r", filters=(Filter("k", Operator.IS_NULL, ("true",)),), sort=(Sort("k"),))
        made = page_statement(TABLE, plan(query, odd, (), unique=False), limit=1)
        assert kind not in made.text or kind == "uuid"
    other = (Column("k", "json; DROP TABLE x"),)
    query = RowQuery(report="r", filters=(Filter("k", Operator.EQ, ("1",)),))
    made = page_statement(TABLE, plan(query, other, (), unique=False), limit=1)
    assert 'r."k"::text COLLATE "C" = $1::text' in made.text
    assert "DROP" not in made.text
