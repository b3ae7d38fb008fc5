from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubescribe.domain.errors import QueryFailed
from kubescribe.domain.query import Query
from kubescribe.domain.sql_tokens import tokens


def rendered(text: str) -> str:
    query = Query(text, name="q")
    return query.render({name: f"<{name}>" for name in query.names})[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT :a", "SELECT <a>"),
        ("SELECT :a, :b, :a", "SELECT <a>, <b>, <a>"),
        ("SELECT ':a'", "SELECT ':a'"),
        ("SELECT 'it''s :a' || :b", "SELECT 'it''s :a' || <b>"),
        (r"SELECT '\' || :a || '\'", r"SELECT '\' || <a> || '\'"),
        (r"SELECT E'\' :a' || :b", r"SELECT E'\' :a' || <b>"),
        (r"SELECT e'\\' || :b", r"SELECT e'\\' || <b>"),
        ("SELECT E'a'\n  '\\' :a' || :b", "SELECT E'a'\n  '\\' :a' || <b>"),
        ("SELECT 'a' -- :x\n ':a', :b", "SELECT 'a' -- :x\n ':a', <b>"),
        ('SELECT 1 AS ":a", :b', 'SELECT 1 AS ":a", <b>'),
        ('SELECT 1 AS "x"":a", :b', 'SELECT 1 AS "x"":a", <b>'),
        ("SELECT $$:a$$, :b", "SELECT $$:a$$, <b>"),
        ("SELECT $x$ :a $$ $y$ $x$, :b", "SELECT $x$ :a $$ $y$ $x$, <b>"),
        ("SELECT a$b$ , :b, c$b$ FROM t", "SELECT a$b$ , <b>, c$b$ FROM t"),
        ("SELECT :a::int", "SELECT <a>::int"),
        ("SELECT 1::int, now()::date", "SELECT 1::int, now()::date"),
        ("SELECT :a -- :b\n, :c", "SELECT <a> -- :b\n, <c>"),
        ("SELECT /* :a /* :b */ :c */ :d", "SELECT /* :a /* :b */ :c */ <d>"),
        ("SELECT xs[1:n] FROM t", "SELECT xs[1:n] FROM t"),
        ("SELECT xs[lo:hi] FROM t", "SELECT xs[lo:hi] FROM t"),
        ("SELECT xs[lo :hi] FROM t", "SELECT xs[lo :hi] FROM t"),
        ("SELECT xs[f(1):n] FROM t", "SELECT xs[f(1):n] FROM t"),
        ("SELECT xs[1 : :n] FROM t", "SELECT xs[1 : <n>] FROM t"),
        ("SELECT xs[:i] FROM t", "SELECT xs[<i>] FROM t"),
        ("SELECT xs[:i:n] FROM t", "SELECT xs[<i>:n] FROM t"),
        ("SELECT ARRAY[:a, :b]", "SELECT ARRAY[<a>, <b>]"),
        ("SELECT ARRAY[1 + :a]", "SELECT ARRAY[1 + <a>]"),
        ("SELECT ARRAY[CASE WHEN :a THEN :b ELSE :c END]", "SELECT ARRAY[CASE WHEN <a> THEN <b> ELSE <c> END]"),
        ("SELECT xs[(CASE WHEN true THEN 1 END):n] FROM t", "SELECT xs[(CASE WHEN true THEN 1 END):n] FROM t"),
        ("SELECT 1 LIMIT:n", "SELECT 1 LIMIT <n>"),
        (r"SELECT a \:b, :c", "SELECT a :b, <c>"),
        ("SELECT f(x := :x)", "SELECT f(x := <x>)"),
        ("SELECT x%2, '%s', :a", "SELECT x%2, '%s', <a>"),
        ("SELECT U&'\\0041:a', :b", "SELECT U&'\\0041:a', <b>"),
        ("SELECT 'a:b:c', '12:30:00'::time, :t", "SELECT 'a:b:c', '12:30:00'::time, <t>"),
        ("SELECT j->'a:b' ? :k", "SELECT j->'a:b' ? <k>"),
        ("SELECT :a;", "SELECT <a>"),
        ("SELECT :a ; ; -- done", "SELECT <a> "),
        ("(SELECT :a) UNION (SELECT 2)", "(SELECT <a>) UNION (SELECT 2)"),
        ("-- why\nselect :a", "-- why\nselect <a>"),
    ],
)
def test_a_bind_is_found_where_it_is_one(text: str, expected: str) -> None:
    assert rendered(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("-- nothing\n;", "empty"),
        ("INSERT INTO t VALUES (1)", "begins with INSERT"),
        ("delete from t", "begins with DELETE"),
        ("SELECT 1; SELECT 2", "several statements"),
        ("SELECT 1; DROP TABLE t", "several statements"),
        ("SELECT $1", r"\$1; binds are written by name"),
    ],
)
def test_what_is_not_one_query_is_refused(text: str, message: str) -> None:
    with pytest.raises(QueryFailed, match=message):
        Query(text, name="q")


def test_missing_and_unused_binds_are_named() -> None:
    query = Query("SELECT :a, :name", name="flights")
    with pytest.raises(QueryFailed) as error:
        query.check({"a", "b", "c"})
    assert str(error.value) == (
        "query flights failed: the bind :name has no value (name= is an argument of its own here: call the bind "
        "something else); a value is given for b, and there is no bind :b in the query; "
        "a value is given for c, and there is no bind :c in the query"
    )


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("SELECT * FROM flights WHERE x", "flights"),
        ('SELECT * FROM nyc."Flights of 2013" f', "nyc.Flights of 2013"),
        ("SELECT extract(year FROM day) FROM flights", "flights"),
        ("SELECT a IS DISTINCT FROM b FROM t", "t"),
        ("SELECT * FROM (SELECT * FROM inner_one) x", "inner_one"),
        ("SELECT 'FROM x'", None),
        ("SELECT * FROM ONLY t", "t"),
        ("VALUES (1)", None),
        ("SELECT 1 FROM", None),
    ],
)
def test_the_first_table_names_a_query(text: str, table: str | None) -> None:
    assert Query(text, name="q").first_table() == table


def test_a_place_is_told_in_lines_and_columns() -> None:
    query = Query("SELECT :long_name,\n  nope", name="q")
    text, places = query.render({"long_name": "$1"})
    at = text.index("nope")
    original = max(pair for pair in places if pair[0] <= at)
    assert query.position(original[1]) == "line 2, column 3"


@given(st.text(alphabet="'\"$\\:/*-[]()eE a1_\n;.", max_size=40))
def test_nothing_is_lost_whatever_the_text(text: str) -> None:
    assert "".join(token.text for token in tokens(text)) == text
