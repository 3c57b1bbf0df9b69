"""What the demo's people report comes through the real doors, and is understood."""

from __future__ import annotations

import sys
from pathlib import Path

from processors.channels import email
from schemas.event import Actor
from schemas.raw import Origin, RawReceived
from streams import demo, demo_reports
from streams.config import Settings
from streams.demo_world import World
from tests.factories import envelope
from tests.streams.test_demo import gateway

SECRET = "of the demo"


def test_the_command_and_the_alert_are_kept_by_their_doors(tmp_path: Path) -> None:
    project = demo._project(tmp_path / "shop.git", "http://x", Path(sys.executable))
    with World() as world:
        settings = Settings.model_validate(
            {
                "data_dir": tmp_path / "data",
                "port": 0,
                "webhook_secrets": dict.fromkeys(demo._DOORS, (SECRET,)),
                "project": (project,),
                **world.settings,
            }
        )
        with gateway(settings) as (url, parts):
            said = demo_reports.post_command(url, SECRET)
            demo_reports.post_alert(url, SECRET)

            routes = sorted(row.route for row in parts.inbox.rows())

    assert "the report is kept" in said
    assert routes == ["alertmanager", "slack-command"]


def test_the_mail_is_a_report_with_the_crash_in_it() -> None:
    raw = RawReceived.model_construct(
        **envelope("mail") | {"actor": Actor.stage("test")},
        route="email/report",
        origin=Origin(channel="email", container="bugs@shop.example", item="1"),
    )

    parsed = email.parse(raw, demo_reports.mail())

    assert parsed is not None
    assert (parsed.title, parsed.account) == (demo_reports.SUBJECT, "email:cleo@customer.example")
    assert "AttributeError: 'NoneType' object has no attribute 'percent'" in parsed.text
