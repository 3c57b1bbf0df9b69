"""What `bugstream doctor` asks the Kafka in use, the embedded one or one's own."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import Any, Literal

from confluent_kafka import KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    ConfigResource,
    ResourceType,
)

from schemas.errors import BugstreamError
from streams.broker import Broker
from streams.cli_context import KAFKA_FOLDER
from streams.config import Settings

State = Literal["ok", "note", "missing"]
REACH_S_MAX = 10.0
VERSION_MIN = (3, 7)
RETENTION_MINUTES_WISE = 60 * 24 * 365

_quiet = logging.getLogger("bugstream.doctor.probe")
_quiet.addHandler(logging.NullHandler())
_quiet.propagate = False


@dataclass(frozen=True, slots=True)
class Check:
    """What was found about one prerequisite. `missing`: it is required and is not there."""

    name: str
    state: State
    found: str
    way_out: str = ""


def check_kafka(settings: Settings) -> Check:
    """Return whether Kafka answers, is new enough, and keeps the positions of groups at rest."""
    if settings.kafka is not None:
        return _ask(settings.kafka, settings.kafka_options)
    try:
        broker = Broker(settings.data_dir / KAFKA_FOLDER)
        if not broker.is_running():
            way_out = "`bugstream up` starts it, `bugstream broker up` it alone."
            return Check("kafka", "note", "the embedded one does not run", way_out)
        return _ask(broker.bootstrap, {})
    except BugstreamError as error:
        return Check("kafka", "missing", "the embedded one cannot be used", str(error))


def _ask(bootstrap: str, options: dict[str, str]) -> Check:
    try:
        config: dict[str, Any] = {**options, "bootstrap.servers": bootstrap, "log_level": 0}
        admin = AdminClient(config, logger=_quiet)
        brokers = admin.list_topics(timeout=REACH_S_MAX).brokers
    except KafkaException as error:
        way_out = "Correct `kafka` (--bootstrap, BUGSTREAM_KAFKA) and `kafka_options`, or start it."
        return Check("kafka", "missing", f"{bootstrap}: {error.args[0].str()}", way_out)
    try:
        resource = ConfigResource(ResourceType.BROKER, str(min(brokers)))
        (future,) = admin.describe_configs([resource], request_timeout=REACH_S_MAX).values()
        values = {name: entry.value for name, entry in future.result(REACH_S_MAX).items()}
    except (KafkaException, ValueError, TimeoutError):
        way_out = "Let this user DescribeConfigs on the cluster, or look at these two yourself."
        found = f"{bootstrap} answers; its version and offsets.retention.minutes cannot be seen"
        return Check("kafka", "note", found, way_out)
    return _judge(f"{bootstrap}, {len(brokers)} broker(s)", values)


def _judge(where: str, values: dict[str, str | None]) -> Check:
    # Kafka tells no client its version. Brokers before 4.0 have this setting, later ones do not.
    told = re.match(r"(\d+)\.(\d+)", values.get("inter.broker.protocol.version") or "")
    version = f"{told[1]}.{told[2]}" if told else "4.0 or newer"
    if told and (int(told[1]), int(told[2])) < VERSION_MIN:
        way_out = "Use Kafka 3.7 or newer, or leave `kafka` unset for the embedded one."
        return Check("kafka", "missing", f"{where}, version {version}", way_out)
    minutes = int(values.get("offsets.retention.minutes") or 0)
    found = f"{where}, version {version}, offsets kept {minutes / 1440:.0f} days"
    if minutes < RETENTION_MINUTES_WISE:
        way_out = (
            "After a longer rest a stage would forget where it was: set the broker's "
            f"offsets.retention.minutes to {RETENTION_MINUTES_WISE} or more."
        )
        return Check("kafka", "note", found, way_out)
    return Check("kafka", "ok", found)
