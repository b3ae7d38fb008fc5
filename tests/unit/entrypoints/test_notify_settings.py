"""Who is told, in the environment and in the file of rules: what is wrong is said at the start, without secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubescribe.domain.errors import BadSetting
from kubescribe.entrypoints.notify_settings import NotifySettings
from kubescribe.entrypoints.settings import load_settings

GOOD = """
[collect]
first = "10s"
interval = "2m"
repeat = "1h"

[summary]
day = "fri"
at = "16:30"
zone = "Europe/Berlin"

[target.ops]
channel = "webhook"
url_from = "OPS_URL"
secret_from = "OPS_SECRET"

[target.nights]
channel = "pagerduty"
key_from = "NIGHTS_KEY"

[target.sales]
channel = "slack"
url_from = "SALES_SLACK"

[[rule]]
pipelines = ["sales_*"]
to = ["slack:sales", "email:carl@example.org"]
notify_after = 2

[[rule]]
kinds = ["incident.opened", "incident.recovered"]
hours = { from = "22:00", until = "06:00", days = "mon-thu,sun", zone = "Europe/Berlin" }
to = ["pagerduty"]

[[rule]]
to = ["email", "webhook:ops"]
outside = "wait"
"""
ENVIRON = {
    "USER": "ana",
    "SMTP_URL": "smtps://ks:open-sesame@mail.example.org",
    "OPS_URL": "https://ops.example.org/hooks/open-sesame",
    "OPS_SECRET": "open-sesame-open-sesame",
    "NIGHTS_KEY": "0123456789abcdef0123456789abcdef",
    "SALES_SLACK": "https://hooks.slack.com/services/open-sesame",
}


def load(folder: Path, text: str = "", **environ: str) -> NotifySettings:
    (folder / "rules.toml").write_text(text)
    return load_settings({**ENVIRON, "KUBESCRIBE_NOTIFY_RULES": "rules.toml", **environ}, folder).notify.usable()


def test_a_file_says_who_is_told(tmp_path: Path) -> None:
    found = load(tmp_path, GOOD)
    assert (found.collecting.first, found.collecting.interval, found.repeat) == (10.0, 120.0, 3600.0)
    assert found.summary is not None and found.summary.days == {4}
    sales, nights, others = found.rules.rules
    assert sales.to == (("slack", "sales"), ("email", "carl@example.org")) and sales.notify_after == 2
    assert nights.hours is not None and nights.hours.days == {0, 1, 2, 3, 6}
    assert others.to == (("email", None), ("webhook", "ops")) and others.later
    assert found.names() == {"slack": ("sales",), "webhook": ("ops",), "pagerduty": ("nights",), "apprise": ()}
    secrets = {"open-sesame-open-sesame", ENVIRON["NIGHTS_KEY"], ENVIRON["OPS_URL"], ENVIRON["SALES_SLACK"]}
    assert secrets <= set(found.secrets()) and "sesame" not in repr(found) and "0123" not in repr(found)


def test_without_a_file_there_are_no_rules(tmp_path: Path) -> None:
    found = load_settings({"USER": "ana"}, tmp_path).notify
    assert found.rules.rules == () and found.summary is None and not any(found.names().values())
    assert (found.collecting.first, found.collecting.interval, found.repeat) == (30.0, 300.0, 4 * 3600.0)


def test_the_environment_alone_serves_small_houses(tmp_path: Path) -> None:
    found = load_settings(
        {
            "USER": "ana",
            "SLACK_WEBHOOK_URL": ENVIRON["SALES_SLACK"],
            "NOTIFY_WEBHOOK_URL": ENVIRON["OPS_URL"],
            "NOTIFY_WEBHOOK_SECRET": ENVIRON["OPS_SECRET"],
            "PAGERDUTY_ROUTING_KEY": ENVIRON["NIGHTS_KEY"],
            "APPRISE_URLS": "json://a.example.org  json://b.example.org",
            "KUBESCRIBE_HEARTBEAT_URL": "https://hc.example.org/ping/open-sesame",
        },
        tmp_path,
    ).notify
    assert found.names() == {
        "slack": ("webhook",),
        "webhook": ("webhook",),
        "pagerduty": ("service",),
        "apprise": ("1", "2"),
    }
    assert found.heartbeat_url is not None and "sesame" not in repr(found.heartbeat_url)


RULE = '[[rule]]\nto = ["email"]\n'


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[[rule]", "is no TOML"),
        ("a = 1\na = 2", "is no TOML"),
        ("[[rules]]", "rules"),
        ('[[rule]]\npipeline = ["a"]\nto = ["email"]', "pipeline"),
        ('[[rule]]\nto = "email"', "Expected `array`"),
        ("[[rule]]\nto = []", "rule 1: to is empty"),
        (RULE + '[[rule]]\nto = ["mail"]', "rule 2: there is no channel 'mail'; did you mean email?"),
        ('[[rule]]\nto = ["email:ann"]', "'ann' is no address"),
        ('[[rule]]\nto = ["email:ann@example.org, bob@example.org"]', "is no address"),
        ('[[rule]]\nto = ["slack"]', "rule 1 tells by slack, and no address of it is set"),
        (GOOD + '[[rule]]\nto = ["webhook:opps"]', "of webhook there is ops"),
        (RULE + 'kinds = ["incident.open"]', "did you mean incident.opened?"),
        (RULE + "notify_after = 0", "from 1 to 1000"),
        (RULE + 'notify_after = "2"', "Expected `int`"),
        (RULE + 'outside = "later"', "Invalid enum value 'later'"),
        (RULE + 'hours = { from = "8", until = "18:00", zone = "UTC" }', "'8' is no time of day"),
        (RULE + 'hours = { from = "08:00", until = "24:00", zone = "UTC" }', "'24:00' is no time of day"),
        (RULE + 'hours = { from = "08:00", until = "18:00", zone = "Europe/Berln" }', "Europe/Berln"),
        (RULE + 'hours = { from = "08:00", until = "18:00", zone = "UTC", days = "monday" }', "names no days"),
        (RULE + 'hours = { from = "08:00", until = "18:00" }', "missing required field `zone`"),
        ('[collect]\ninterval = "five minutes"', "[collect] interval"),
        ("[collect]\ntogether = 0", "together is a number"),
        ('[summary]\nday = "someday"', "names no days"),
        ('[target."a b"]\nchannel = "slack"\nurl_from = "X"', "a name has small letters"),
        ('[target.a]\nchannel = "fax"\nurl_from = "X"', "Invalid enum value 'fax'"),
        ('[target.a]\nchannel = "webhook"', "needs url_from"),
        ('[target.a]\nchannel = "webhook"\nurl_from = "NOT_THERE"', "takes url_from from NOT_THERE, which is not set"),
        ('[target.a]\nchannel = "webhook"\nurl = "https://a.example.org"', "unknown field `url`"),
        (
            '[target.a]\nchannel = "pagerduty"\nkey_from = "OPS_SECRET"',
            "OPS_SECRET cannot be used: it is no routing key",
        ),
    ],
)
def test_what_is_wrong_is_said_at_the_start(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(BadSetting) as caught:
        load(tmp_path, text)
    assert why in str(caught.value), str(caught.value)
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize(
    ("environ", "why"),
    [
        ({"KUBESCRIBE_NOTIFY_RULES": "none.toml"}, "none.toml cannot be read: No such file"),
        ({"NOTIFY_WEBHOOK_URL": "https://10.0.0.1/open-sesame"}, "KUBESCRIBE_WEBHOOK_NETWORKS can allow one"),
        ({"NOTIFY_WEBHOOK_URL": "https://0x7f.1/open-sesame"}, "is no host name"),
        (
            {"NOTIFY_WEBHOOK_URL": "https://a.example.org/open-sesame", "KUBESCRIBE_WEBHOOK_HOSTS": "b.example.org"},
            "none of the hosts",
        ),
        (
            {"NOTIFY_WEBHOOK_URL": "https://a.example.org/", "NOTIFY_WEBHOOK_SECRET": "sesame"},
            "NOTIFY_WEBHOOK_SECRET cannot be used: it must have at least 16 bytes",
        ),
        ({"KUBESCRIBE_WEBHOOK_NETWORKS": "10.0.0.1/8"}, "must be networks"),
        ({"KUBESCRIBE_WEBHOOK_HOSTS": "https://a/"}, "must be host names"),
        ({"PAGERDUTY_ROUTING_KEY": "open sesame"}, "it is no routing key"),
        ({"KUBESCRIBE_HEARTBEAT_URL": "http://hc.example.org/open-sesame"}, "must begin with https://"),
    ],
)
def test_what_is_wrong_in_the_environment_is_said(tmp_path: Path, environ: dict[str, str], why: str) -> None:
    with pytest.raises(BadSetting) as caught:
        load(tmp_path, **environ)
    assert why in str(caught.value), str(caught.value)
    assert "sesame" not in str(caught.value)


def test_a_run_goes_on_beside_a_file_that_cannot_be_used(tmp_path: Path) -> None:
    """It tells nobody anything: that is for whoever is alive afterwards, and has the fault mended."""
    (tmp_path / "rules.toml").write_text('[[rule]]\nto = ["webhok"]\n')
    environ = {**ENVIRON, "KUBESCRIBE_NOTIFY_RULES": "rules.toml", "SLACK_WEBHOOK_URL": ENVIRON["SALES_SLACK"]}
    settings = load_settings(environ, tmp_path)
    assert settings.notify.fault is not None and settings.notify.rules.rules == ()
    assert "services/open-sesame" in " ".join(settings.secrets()), "what the environment holds is hidden all the same"
    with pytest.raises(BadSetting, match="there is no channel 'webhok'"):
        settings.notify.usable()
