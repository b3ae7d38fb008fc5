"""``kubescribe notify`` over a real RunLog, a real mail server and a real webhook, killed between any two steps."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import psycopg
import pytest

from kubescribe.application.failpoints import VARIABLE
from tests.support.clusters import Cluster
from tests.support.command_line import CommandLine
from tests.support.http_sink import HttpSink, http_sink
from tests.support.smtp_sink import MailSink, mail_sink
from tests.support.three_databases import ThreeDatabases, three_databases

pytestmark = pytest.mark.integration


@pytest.fixture
def databases(cluster: Cluster) -> Iterator[ThreeDatabases]:
    with three_databases(cluster) as databases:
        yield databases


@pytest.fixture
def mail() -> Iterator[MailSink]:
    with mail_sink() as sink:
        yield sink


@pytest.fixture
def slack() -> Iterator[HttpSink]:
    with http_sink() as sink:
        yield sink


@pytest.fixture
def kubescribe(tmp_path: Path, databases: ThreeDatabases, mail: MailSink, slack: HttpSink) -> CommandLine:
    rules = tmp_path / "rules.toml"
    rules.write_text('[collect]\nfirst = "0s"\ninterval = "0s"\ntogether = 1\n')
    return CommandLine(
        tmp_path,
        databases,
        SMTP_URL=f"smtp://127.0.0.1:{mail.port}?insecure=true&timeout=2",
        NOTIFY_EMAIL="ann@example.org, bob@example.org",
        NOTIFY_FROM="ks@example.org",
        SLACK_WEBHOOK_URL=f"http://127.0.0.1:{slack.port}/services/open-sesame",
        KUBESCRIBE_PUBLIC_URL="https://ks.example.org/",
        KUBESCRIBE_NOTIFY_RULES=str(rules),
        no_proxy="127.0.0.1",
    )


def later(databases: ThreeDatabases) -> None:
    """Let every wait and every lease be over."""
    with psycopg.connect(databases.runlog) as connection:
        connection.execute("UPDATE delivery SET next_at = clock_timestamp() WHERE status = 'due'")


def test_a_failed_run_is_told_to_everybody(kubescribe: CommandLine, mail: MailSink, slack: HttpSink) -> None:
    assert kubescribe("notify", "--once").stdout == "0 messages sent\n"
    failed = kubescribe("exec", "--name", "nightly", "--", "sh", "-c", "echo disk is full >&2; exit 3")
    assert failed.returncode == 3
    run = kubescribe.newest()["run"]["id"]
    told = kubescribe("notify", "--once")
    assert (told.returncode, told.stdout, told.stderr) == (0, "3 messages sent\n", "")
    assert kubescribe("notify", "--once").stdout == "0 messages sent\n"
    assert sorted(recipient for got in mail.received for recipient in got.recipients) == [
        "ann@example.org",
        "bob@example.org",
    ]
    first = mail.received[0].message
    assert first["Subject"] == "[KubeScribe] nightly failed: exit_code"
    assert {got.message["Message-ID"] for got in mail.received} == {f"<1.{run}@example.org>"}
    text = next(part.get_content() for part in first.iter_parts())
    for said in ("disk is full", "exit code:", f"kubescribe show {run}", f"https://ks.example.org/runs/{run}"):
        assert said in text, said
    ((path, body),) = slack.posts
    assert path == "/services/open-sesame" and b"disk is full" in body
    assert kubescribe("exec", "--name", "nightly", "--", "true").returncode == 0
    assert kubescribe("notify", "--once").stdout == "3 messages sent\n"
    assert mail.received[-1].message["Subject"] == "[KubeScribe] nightly works again"


def test_who_cannot_be_told_is_seen_and_told_later(
    kubescribe: CommandLine, mail: MailSink, slack: HttpSink, databases: ThreeDatabases
) -> None:
    kubescribe("exec", "--name", "nightly", "--", "false")
    mail.refused["ann@example.org"] = "550 no such user"
    slack.answers = [(500, {}, b"internal"), (500, {}, b"internal")]
    told = kubescribe("notify", "--once")
    assert told.returncode == 75 and told.stdout == "1 message sent\n"
    assert "email to ann@example.org about nightly" in told.stderr and "550 no such user; given up" in told.stderr
    assert "answered 500 internal; tried again in" in told.stderr and "1 still to be sent" in told.stderr
    assert "sesame" not in told.stderr + told.stdout
    listed = kubescribe("notify", "--dead")
    assert "email:ann@example.org" in listed.stdout and "550 no such user" in listed.stdout
    later(databases)
    assert kubescribe("notify", "--once").returncode == 75
    later(databases)
    assert kubescribe("notify", "--once").returncode == 0
    assert len(slack.posts) == 1
    mail.refused.clear()
    assert kubescribe("notify", "--revive").stdout == "1 message will be sent again\n"
    assert kubescribe("notify", "--once").stdout == "1 message sent\n"
    assert kubescribe("notify", "--dead").stdout == "Nothing was given up.\n"
    assert len({got.message["Message-ID"] for got in mail.received}) == 1
    with psycopg.connect(databases.runlog) as connection:
        kept = str(connection.execute("SELECT delivery::text, outbox::text FROM delivery, outbox").fetchall())
    assert "sesame" not in kept


STEPS = (
    *("outbox.planned", "notify.planned", "notify.taken", "notify.composed", "notify.sent", "notify.settled"),
    *("notify.taken@2", "notify.sent@2", "notify.sent@3", "notify.settled@3"),
)


@pytest.mark.parametrize("step", STEPS)
def test_a_sender_that_is_killed_loses_nothing(
    kubescribe: CommandLine, mail: MailSink, slack: HttpSink, databases: ThreeDatabases, step: str
) -> None:
    with psycopg.connect(databases.runlog) as connection:
        connection.execute(
            "INSERT INTO outbox (run_id, incident_id, kind, pipeline) "
            "SELECT gen_random_uuid(), 1, 'incident.opened', name FROM unnest(ARRAY['one', 'two']) AS name"
        )
    killed = kubescribe("notify", "--once", **{VARIABLE: f"{step}=kill"})
    assert killed.returncode == -signal.SIGKILL
    later(databases)
    assert kubescribe("notify", "--once").returncode == 0
    mails = Counter((got.recipients[0], got.message["Message-ID"]) for got in mail.received)
    assert len(mails) == 4 and len({message_id for _, message_id in mails}) == 2
    posts = Counter(msgspec.json.decode(body)["blocks"][-1]["elements"][0]["text"] for _, body in slack.posts)
    assert len(posts) == 2
    # Killed after the other side took it and before that was written down: once more, no oftener.
    again = mails.total() + posts.total() - 6
    assert (1 if step.startswith("notify.sent") else 0) <= again <= 2


def test_a_slow_taker_gets_all_of_it_in_order(
    kubescribe: CommandLine, slack: HttpSink, databases: ThreeDatabases
) -> None:
    """Slack's limit of one message a second, with 40 messages at once; FAULTS N4 asks for 500 (see the unit test)."""
    with psycopg.connect(databases.runlog) as connection:
        connection.execute(
            "INSERT INTO outbox (run_id, kind, pipeline) SELECT gen_random_uuid(), "
            "CASE WHEN n % 2 = 0 THEN 'incident.recovered' ELSE 'incident.opened' END, 'p' || n % 3 "
            "FROM generate_series(1, 40) AS n"
        )
    last = 0.0

    def limited(path: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        nonlocal last
        with slack.turn:
            now = time.monotonic()
            if now - last < 0.02:
                return 429, {"Retry-After": "0.02"}, b"slow down"
            last = now
            slack.posts.append((path, body))
            return 200, {}, b"ok"

    slack.answer = limited  # type: ignore[method-assign]
    for _ in range(200):
        if kubescribe("notify", "--once", SMTP_URL="", NOTIFY_EMAIL="").returncode == 0:
            break
        later(databases)
    ids = [
        int(msgspec.json.decode(body)["blocks"][-1]["elements"][0]["text"].split()[1].split(".")[0])
        for _, body in slack.posts
    ]
    assert sorted(ids) == list(range(1, 41))
    for pipeline in range(3):
        mine = [one for one in ids if one % 3 == pipeline]
        assert mine == sorted(mine)


def test_a_test_message_tells_whether_it_arrives(kubescribe: CommandLine, mail: MailSink, slack: HttpSink) -> None:
    good = kubescribe("notify", "--test")
    assert good.returncode == 0 and good.stdout.count(": taken") == 3
    mail.refused["bob@example.org"] = "550 who"
    bad = kubescribe("notify", "--test")
    assert bad.returncode == 75 and "550 who" in bad.stderr
    slack.answers = [(404, {}, b"no /services/open-sesame here")]
    told = kubescribe("notify", "test", "slack")
    assert told.returncode == 75 and "answered 404 no /\u2022" in told.stderr and "sesame" not in told.stderr


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"SMTP_URL": "", "NOTIFY_EMAIL": "", "SLACK_WEBHOOK_URL": ""}, "needs SMTP_URL with NOTIFY_EMAIL"),
        ({"NOTIFY_EMAIL": ""}, "nobody to write to"),
        ({"SMTP_URL": ""}, "NOTIFY_EMAIL is set, and no server"),
        ({"SMTP_URL": "http://sesame"}, "SMTP_URL cannot be used: it must begin with smtp://"),
        ({"SMTP_URL": "smtp://u:sesame@h?insecure=true"}, "never sent in the clear"),
        ({"NOTIFY_EMAIL": "ann@example.org\nBcc: evil"}, "is no address"),
        ({"NOTIFY_FROM": "a@b.org,c@d.org"}, "takes one address"),
        ({"SLACK_WEBHOOK_URL": "http://hooks.example.org/sesame"}, "must begin with https://"),
        ({"KUBESCRIBE_PUBLIC_URL": "javascript:alert(1)"}, "must be a URL"),
        ({"KUBESCRIBE_LOG": "xml"}, "text or json"),
    ],
)
def test_half_a_setting_is_refused(kubescribe: CommandLine, settings: dict[str, str], why: str) -> None:
    ended = kubescribe("notify", "--once", **settings)
    assert ended.returncode == 64 and why in ended.stderr, ended.stderr
    assert "sesame" not in ended.stderr


def test_one_channel_can_be_tested(kubescribe: CommandLine, mail: MailSink, slack: HttpSink) -> None:
    good = kubescribe("notify", "test", "email:bob@example.org")
    assert (good.returncode, good.stdout) == (0, "email to bob@example.org: taken\n")
    assert [got.recipients for got in mail.received] == [["bob@example.org"]] and slack.posts == []
    assert kubescribe("notify", "test", "slack").stdout == "slack to webhook: taken\n" and len(slack.posts) == 1
    assert kubescribe("notify", "test").stdout.count(": taken") == 3
    wrong = kubescribe("notify", "test", "fax")
    assert wrong.returncode == 64 and "there is no channel 'fax'; there are email:ann@example.org" in wrong.stderr
    for arguments in ((), ("test", "--once")):
        assert kubescribe("notify", *arguments).returncode == 64


def test_a_webhook_and_an_alert_are_told(kubescribe: CommandLine, slack: HttpSink) -> None:
    there = f"http://127.0.0.1:{slack.port}"
    settings = {
        "SMTP_URL": "",
        "NOTIFY_EMAIL": "",
        "SLACK_WEBHOOK_URL": "",
        "NOTIFY_WEBHOOK_URL": f"{there}/hook/open-sesame",
        "NOTIFY_WEBHOOK_SECRET": "open-sesame-open-sesame",
        "PAGERDUTY_URL": f"{there}/v2/enqueue",
        "PAGERDUTY_ROUTING_KEY": "0123456789abcdef0123456789abcdef",
        "KUBESCRIBE_WEBHOOK_NETWORKS": "127.0.0.0/8",
    }
    kubescribe("exec", "--name", "nightly", "--", "false")
    kubescribe("exec", "--name", "nightly", "--", "true")
    assert kubescribe("notify", "--once", **settings).stdout == "4 messages sent\n"
    events = [msgspec.json.decode(body) for path, body in slack.posts if path == "/v2/enqueue"]
    assert [one["event_action"] for one in events] == ["trigger", "resolve"]
    assert len({one["dedup_key"] for one in events}) == 1
    hooks = [msgspec.json.decode(body) for path, body in slack.posts if path.startswith("/hook/")]
    assert [one["type"] for one in hooks] == ["incident.opened", "incident.recovered"]
    tested = kubescribe("notify", "test", "pagerduty", **settings)
    assert tested.stdout == "pagerduty to service: taken\n"
    events = [msgspec.json.decode(body) for path, body in slack.posts if path == "/v2/enqueue"]
    assert [one["event_action"] for one in events[2:]] == ["trigger", "resolve"], "it wakes nobody for long"
    refused = kubescribe("notify", "--once", **settings, KUBESCRIBE_WEBHOOK_HOSTS="hooks.example.org")
    assert refused.returncode == 64 and "sesame" not in refused.stderr


def test_a_reports_rows_go_with_a_mail(kubescribe: CommandLine, mail: MailSink, tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text("region,amount\nnorth,1\n=HYPERLINK(),2\n")
    assert kubescribe("publish", "sales", "sales.csv").returncode == 0
    rules = tmp_path / "rules.toml"
    rules.write_text(
        '[[rule]]\nto = ["email:ann@example.org"]\nattach = ["sales", "stock"]\n\n[[rule]]\nto = ["email"]\n'
    )
    kubescribe("exec", "--name", "nightly", "--", "false")
    assert kubescribe("notify", "--once").returncode == 0
    to_ann, to_bob = sorted((got.message for got in mail.received), key=lambda message: str(message["To"]))
    assert [part.get_filename() for part in to_bob.iter_attachments()] in ([], [None])
    (file,) = [part for part in to_ann.iter_attachments() if part.get_filename()]
    assert (file.get_filename(), file.get_content_type()) == ("sales_v1.csv", "text/csv")
    content = file.get_content()
    assert "north" in content and "'=HYPERLINK()" in content, "no spreadsheet takes it for a formula"
    text = to_ann.get_body(("plain",))
    assert text is not None
    said = text.get_content()
    assert "all 2 rows" in said and "report stock" in said and "could not be attached" in said
