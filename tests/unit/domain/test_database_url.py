"""One URL, read the same by all drivers, and silent about its password."""

from __future__ import annotations

import copy
import pickle
import re
import subprocess
import sys
import traceback
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict

from kubescribe.domain.database_url import DatabaseUrl
from kubescribe.domain.errors import BadDatabaseUrl, ConfigurationError

pytestmark = pytest.mark.disable_socket

# text, asyncpg's arguments, what libpq reads
READINGS: list[tuple[str, dict[str, Any], dict[str, str]]] = [
    (
        "postgres://ana:s3cret@db.example:5433/sales",
        {"user": "ana", "password": "s3cret", "host": ["db.example"], "port": [5433], "database": "sales"},
        {"user": "ana", "password": "s3cret", "host": "db.example", "port": "5433", "dbname": "sales"},
    ),
    ("postgresql+asyncpg://h/d", {"host": ["h"], "database": "d"}, {"host": "h", "dbname": "d"}),
    ("postgresql+psycopg://h/d", {"host": ["h"], "database": "d"}, {"host": "h", "dbname": "d"}),
    ("POSTGRESQL://h/d\n", {"host": ["h"], "database": "d"}, {"host": "h", "dbname": "d"}),
    (
        "postgresql://a%40b:p%3A%2F%3F%23%40%25@h/my%20db%2F1",
        {"user": "a@b", "password": "p:/?#@%", "host": ["h"], "database": "my db/1"},
        {"user": "a@b", "password": "p:/?#@%", "host": "h", "dbname": "my db/1"},
    ),
    (
        "postgresql://u:a:b[@h",
        {"user": "u", "password": "a:b[", "host": ["h"]},
        {"password": "a:b[", "user": "u", "host": "h"},
    ),
    ("postgresql://u:@h", {"user": "u", "host": ["h"]}, {"user": "u", "host": "h"}),
    (
        "postgresql://[::1]:5433/d",
        {"host": ["::1"], "port": [5433], "database": "d"},
        {"host": "::1", "port": "5433", "dbname": "d"},
    ),
    ("postgresql://[fe80::1%25eth0]", {"host": ["fe80::1%eth0"]}, {"host": "fe80::1%eth0"}),
    (
        "postgresql://h1:5432,h2:5433,[::1],h4/d?target_session_attrs=read-write",
        {
            "host": ["h1", "h2", "::1", "h4"],
            "port": [5432, 5433, 5432, 5432],
            "database": "d",
            "target_session_attrs": "read-write",
        },
        {"host": "h1,h2,::1,h4", "port": "5432,5433,,", "dbname": "d", "target_session_attrs": "read-write"},
    ),
    (
        "postgresql:///d?host=/var/run/postgresql&port=5433",
        {"host": ["/var/run/postgresql"], "port": [5433], "database": "d"},
        {"host": "/var/run/postgresql", "port": "5433", "dbname": "d"},
    ),
    (
        "postgresql://u@%2Ftmp%2Fpg:5433",
        {"user": "u", "host": ["/tmp/pg"], "port": [5433]},
        {"user": "u", "host": "/tmp/pg", "port": "5433"},
    ),
    ("postgresql://?host=a,b&port=1,2", {"host": ["a", "b"], "port": [1, 2]}, {"host": "a,b", "port": "1,2"}),
    ("postgresql://a,b?port=7", {"host": ["a", "b"], "port": [7, 7]}, {"host": "a,b", "port": "7,7"}),
    (
        "postgresql://?user=u&password=p%26&dbname=d",
        {"user": "u", "password": "p&", "database": "d"},
        {"user": "u", "password": "p&", "dbname": "d"},
    ),
    ("postgresql://", {}, {}),
    ("postgresql:///d", {"database": "d"}, {"dbname": "d"}),
    (
        "postgresql://h?application_name=a+b&options=-c%20work_mem%3D64MB%20-c%20jit%3Doff&passfile=/p",
        {
            "host": ["h"],
            "server_settings": {"application_name": "a+b", "options": "-c work_mem=64MB -c jit=off"},
            "passfile": "/p",
        },
        {"host": "h", "application_name": "a+b", "options": "-c work_mem=64MB -c jit=off", "passfile": "/p"},
    ),
    ("postgresql://h?connect_timeout=3", {"host": ["h"], "timeout": 3.0}, {"host": "h", "connect_timeout": "3"}),
    (
        "postgresql://h,i?connect_timeout=3",
        {"host": ["h", "i"], "port": [5432, 5432], "timeout": 6.0},
        {"host": "h,i", "port": ",", "connect_timeout": "3"},
    ),
    ("postgresql://h?connect_timeout=0", {"host": ["h"], "timeout": None}, {"host": "h", "connect_timeout": "0"}),
    ("postgresql://h?sslmode=require", {"host": ["h"], "ssl": "require"}, {"host": "h", "sslmode": "require"}),
    (
        "postgresql://h?sslmode=verify-full&sslrootcert=/a%20b%26c&sslcert=/c&sslkey=/k&sslcrl=/l",
        {
            "host": ["h"],
            "ssl": "verify-full",
            "dsn": "postgresql://?sslrootcert=%2Fa%20b%26c&sslcert=%2Fc&sslkey=%2Fk&sslcrl=%2Fl",
        },
        {
            "host": "h",
            "sslmode": "verify-full",
            "sslrootcert": "/a b&c",
            "sslcert": "/c",
            "sslkey": "/k",
            "sslcrl": "/l",
        },
    ),
    (
        "postgresql://h?sslmode=require&sslrootcert=/ca",  # libpq's rule, made visible
        {"host": ["h"], "ssl": "verify-ca", "dsn": "postgresql://?sslrootcert=%2Fca"},
        {"host": "h", "sslmode": "verify-ca", "sslrootcert": "/ca"},
    ),
    (
        "postgresql://h?keepalives=1&keepalives_idle=9&keepalives_interval=3&keepalives_count=2&tcp_user_timeout=1000",
        {"host": ["h"]},
        {
            "host": "h",
            "keepalives": "1",
            "keepalives_idle": "9",
            "keepalives_interval": "3",
            "keepalives_count": "2",
            "tcp_user_timeout": "1000",
        },
    ),
    (
        "postgresql://h?channel_binding=prefer&gssencmode=disable&sslmode=",
        {"host": ["h"]},
        {"host": "h", "channel_binding": "prefer", "gssencmode": "disable"},
    ),
]


@pytest.mark.parametrize(
    ("text", "asyncpg", "libpq"), READINGS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_both_drivers_are_given_what_was_written(text: str, asyncpg: dict[str, Any], libpq: dict[str, str]) -> None:
    url = DatabaseUrl.parse(text)
    assert url.for_asyncpg() == asyncpg
    assert conninfo_to_dict(url.for_libpq()) == libpq
    assert DatabaseUrl.parse(url.for_libpq()) == url


# text, what the sentence says
REFUSALS = [
    ("", "not a URL"),
    ("/var/lib/x.db", "not a URL"),
    (
        "host=h dbname=d password=QpassQ",
        "keyword string; write it as a URL: postgresql://user:password@host:5432/database",
    ),
    ("host=h password=a://QpassQ", "keyword string"),
    ("mysql://u:QpassQ@h/d", "mysql is not PostgreSQL"),
    ("mysql+pymysql://u:QpassQ@h/d", "mysql is not PostgreSQL"),
    ("https://h/QpassQ", "http is not PostgreSQL"),
    ("QpassQ://h", "its scheme is not PostgreSQL's"),
    ("postgresql://u:QpassQ@@h/d", "as %40"),
    ("postgresql://u:QpassQ/x@h/d", "/ as %2F"),
    ("postgresql://u:QpassQ?x@h/d", "? as %3F"),
    ("postgresql://u:QpassQ?x=1&y=2@h/d", "? as %3F"),
    ("postgresql://u:QpassQ#x@h/d", "# as %23"),
    ("postgresql://u:QpassQ#x", "# as %23"),
    ("postgresql://u:QpassQ%@h", "%25"),
    ("postgresql://u:QpassQ%zz@h", "%25"),
    ("postgresql://u:QpassQ%4@h", "%25"),
    ("postgresql://u:QpassQ%00@h", "%00"),
    ("postgresql://u:QpassQ%ff@h", "UTF-8"),
    ("postgresql://u:QpassQ x@h", "space"),
    ("postgresql://u:QpassQ\tx@h", "control"),
    ("postgresql://u:QpassQ\udcff@h", "control"),
    ("postgresql://u:QpassQ", "a port is not a number"),
    ("postgresql://u@h:0", "1 to 65535"),
    ("postgresql://u@h:65536", "1 to 65535"),
    ("postgresql://u@h:99999999999999999999", "1 to 65535"),
    ("postgresql://u@h:٣", "1 to 65535"),
    ("postgresql://::1/d", "brackets"),
    ("postgresql://[::1/d", "]"),
    ("postgresql://[::1]5432/d", "]"),
    ("postgresql://a,,b/d", "a host is empty"),
    ("postgresql://:5432/d", "a host is empty"),
    ("postgresql://a%2Cb/d", "a host is empty or cannot be one"),
    ("postgresql://h/d?host=/tmp", "the host is given twice"),
    ("postgresql://h/d?dbname=e", "the dbname is given twice"),
    ("postgresql://u:a@h/d?password=QpassQ", "the password is given twice"),
    ("postgresql://h:1/d?port=2", "the port is given twice"),
    ("postgresql://a,b,c/d?port=1,2", "number of ports"),
    ("postgresql://?port=1", "a host is empty"),
    ("postgresql://?host=a:1", "its own parameter"),
    ("postgresql://h?sslmode=require&sslmode=disable", "'sslmode' is given twice"),
    ("postgresql://h?service=prod", "service files are not read"),
    ("postgresql://h?sslmod=require", "did you mean sslmode?"),
    ("postgresql://h?ssl=true", "did you mean sslmode?"),
    ("postgresql://h?aplication_name=x", "did you mean application_name?"),
    ("postgresql://h?zzz=1", "'zzz' is not one"),
    ("postgresql://h?password=QpassQ&QpassQ=1", "a parameter is not one"),
    ("postgresql://h?password=QpassQ&QpassQ", "no = sign"),
    ("postgresql://h?sslmode=QpassQ", "one of disable, allow, prefer, require, verify-ca, verify-full"),
    ("postgresql://h?sslmode=verify_full", "one of"),
    ("postgresql://h?target_session_attrs=master", "one of any, read-write"),
    ("postgresql://h?channel_binding=x", "one of"),
    ("postgresql://h?gssencmode=x", "one of"),
    ("postgresql://h?keepalives=2", "one of 0, 1"),
    ("postgresql://h?connect_timeout=1.5", "whole number"),
    ("postgresql://h?tcp_user_timeout=-1", "whole number"),
    ("postgresql://h?sslrootcert=/ca", "without sslmode=verify-full"),
    ("postgresql://h?sslmode=prefer&sslrootcert=/ca", "without sslmode=verify-full"),
    ("postgresql://h?sslcrl=/ca", "without sslmode=verify-full"),
    ("postgresql://h?sslmode=require&sslrootcert=system", "needs sslmode=verify-full"),
]


@pytest.mark.parametrize(("text", "sentence"), REFUSALS)
def test_a_refusal_says_why_and_keeps_the_password(text: str, sentence: str) -> None:
    with pytest.raises(BadDatabaseUrl, match=re.escape(sentence)) as caught:
        DatabaseUrl.parse(text, name="REPORT_DB_URL")
    assert str(caught.value).startswith("REPORT_DB_URL cannot be used: ")
    assert isinstance(caught.value, ConfigurationError)
    printed = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert "QpassQ" not in re.sub(r'(?m)^.*File ".*\n.*$', "", printed)  # source lines aside


def test_system_certificates_need_a_context_for_asyncpg() -> None:
    import ssl

    url = DatabaseUrl.parse("postgresql://h?sslrootcert=system")
    assert conninfo_to_dict(url.for_libpq()) == {"host": "h", "sslmode": "verify-full", "sslrootcert": "system"}
    context = url.for_asyncpg()["ssl"]
    assert isinstance(context, ssl.SSLContext)
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED


@pytest.mark.parametrize("parameter", ["channel_binding", "gssencmode"])
def test_asyncpg_is_not_given_a_promise_that_it_cannot_keep(parameter: str) -> None:
    url = DatabaseUrl.parse(f"postgresql://h?{parameter}=require", name="RUNLOG_DB_URL")
    assert conninfo_to_dict(url.for_libpq())[parameter] == "require"
    with pytest.raises(BadDatabaseUrl, match=f"cannot keep {parameter}=require"):
        url.for_asyncpg()


def test_behind_a_pooler_asyncpg_keeps_no_prepared_statements() -> None:
    url = DatabaseUrl.parse("postgresql://h")
    assert url.for_asyncpg(pooled=True) == {"host": ["h"], "statement_cache_size": 0}


def test_arguments_are_new_with_every_call() -> None:
    url = DatabaseUrl.parse("postgresql://h?application_name=a")
    url.for_asyncpg()["server_settings"]["application_name"] = "changed"
    assert url.for_asyncpg()["server_settings"] == {"application_name": "a"}


def test_every_argument_is_one_of_asyncpgs() -> None:
    from inspect import signature

    import asyncpg

    for text, _, _ in READINGS:
        assert set(DatabaseUrl.parse(text).for_asyncpg(pooled=True)) <= set(signature(asyncpg.connect).parameters)


def test_it_prints_masked() -> None:
    url = DatabaseUrl.parse("postgresql://ana:s3cr%40t@h:1/d?sslmode=require")
    masked = "postgresql://ana:•••@h:1/d?sslmode=require"
    assert (str(url), url.masked(), f"{url}", repr(url)) == (masked, masked, masked, f"DatabaseUrl({masked!r})")
    assert url.secrets() == ("s3cr@t", "s3cr%40t")
    assert DatabaseUrl.parse("postgresql://u:plain@h").secrets() == ("plain",)
    assert DatabaseUrl.parse("postgresql://u@h").secrets() == ()
    assert str(DatabaseUrl.parse("postgresql://u@h")) == "postgresql://u@h/"


def test_equality_is_by_value_and_leaves_out_the_variables_name() -> None:
    one = DatabaseUrl.parse("postgresql://u:p@h/d?sslmode=require&connect_timeout=3", name="A")
    two = DatabaseUrl.parse("postgres://u:%70@h/d?connect_timeout=3&sslmode=require", name="B")
    assert one == two
    assert hash(one) == hash(two)
    assert one != DatabaseUrl.parse("postgresql://u:q@h/d?sslmode=require&connect_timeout=3")
    assert one != "postgresql://u:p@h/d"
    assert copy.deepcopy(one) == pickle.loads(pickle.dumps(one)) == one


def test_it_is_frozen() -> None:
    url = DatabaseUrl.parse("postgresql://u:p@h")
    with pytest.raises(AttributeError):
        url.password = "x"
    with pytest.raises(AttributeError):
        del url.password


def test_changes_make_another_url() -> None:
    url = DatabaseUrl.parse("postgresql://u:p@h1,h2:1/d?application_name=old")
    named = url.with_application_name("ks:1")
    assert named.for_asyncpg()["server_settings"] == {"application_name": "ks:1"}
    assert url.for_asyncpg()["server_settings"] == {"application_name": "old"}
    assert [one.hosts for one in url.each_host()] == [(("h1", None),), (("h2", 1),)]
    assert DatabaseUrl.parse("postgresql:///d").each_host() == (DatabaseUrl.parse("postgresql:///d"),)


@pytest.mark.parametrize("text", ["", "x" * 64, "größe", "a\nb"])
def test_an_application_name_that_the_server_would_change_is_refused(text: str) -> None:
    with pytest.raises(BadDatabaseUrl, match="63 printable ASCII"):
        DatabaseUrl.parse("postgresql://h").with_application_name(text)


def test_importing_it_is_cheap() -> None:
    code = (
        "import sys; before = set(sys.modules); import kubescribe.domain.database_url;"
        "print(*sorted({m.partition('.')[0] for m in set(sys.modules) - before}))"
    )
    loaded = subprocess.run(
        [sys.executable, "-S", "-c", code], env={"PYTHONPATH": ".import"}, capture_output=True, text=True
    )
    assert not {"ssl", "re", "typing", "dataclasses", "urllib", "msgspec", "difflib"} & set(loaded.stdout.split()), (
        loaded
    )
    assert "kubescribe" in loaded.stdout, loaded.stderr


TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=12)
LABEL = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=10)
HOST = LABEL | st.ip_addresses(v=4).map(str) | st.ip_addresses(v=6).map(str) | LABEL.map("/{}/run".format)
PORT = st.none() | st.integers(1, 65535)
PARAMETERS = st.fixed_dictionaries(
    {},
    optional={
        "sslmode": st.sampled_from(["disable", "require", "verify-ca", "verify-full"]),
        "sslcert": TEXT,
        "sslkey": TEXT,
        "application_name": TEXT,
        "options": TEXT,
        "passfile": TEXT,
        "target_session_attrs": st.sampled_from(["any", "read-write", "primary"]),
        "connect_timeout": st.integers(0, 10**6).map(str),
        "keepalives_idle": st.integers(0, 1000).map(str),
    },
)


@given(
    user=TEXT, password=TEXT, hosts=st.lists(st.tuples(HOST, PORT), max_size=3), database=TEXT, parameters=PARAMETERS
)
def test_any_parts_survive(
    user: str, password: str, hosts: list[tuple[str, int | None]], database: str, parameters: dict[str, str]
) -> None:
    authority = ",".join(
        (f"[{host}]" if ":" in host else quote(host, safe="")) + (f":{port}" if port else "") for host, port in hosts
    )
    query = "&".join(f"{key}={quote(value, safe='')}" for key, value in parameters.items())
    url = DatabaseUrl.parse(
        f"postgresql://{quote(user, safe='')}:{quote(password, safe='')}@{authority}/{quote(database, safe='')}?{query}"
    )
    expected = parameters | {"user": user, "password": password, "dbname": database}
    if hosts:
        expected["host"] = ",".join(host for host, _ in hosts)
    if len(hosts) > 1 or any(port for _, port in hosts):
        expected["port"] = ",".join(str(port or "") for _, port in hosts)
    assert conninfo_to_dict(url.for_libpq()) == expected
    assert DatabaseUrl.parse(url.for_libpq()) == url
    arguments = url.for_asyncpg()
    assert (arguments["user"], arguments["password"], arguments["database"]) == (user, password, database)
    assert arguments.get("host", []) == [host for host, _ in hosts]


@given(before=st.text(max_size=20), password=st.text("Qq@:/?#%&=[]~", min_size=6), after=st.text(max_size=20))
def test_no_text_makes_it_fail_otherwise_or_tell_the_password(before: str, password: str, after: str) -> None:
    try:
        url = DatabaseUrl.parse(f"{before}postgresql://u:{password}@{after}")
    except BadDatabaseUrl as refused:
        assert password not in str(refused)
    else:
        assert url.password is None or url.password not in str(url).replace("•••", "") or len(url.password) < 4
