"""What the proofs over HTTP share: signed webhooks, a real system, and what arrived in Kafka."""

from __future__ import annotations

import hashlib
import hmac
import json
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import SecretStr

from schemas import topics
from schemas.codec import decode
from schemas.errors import FatalError
from schemas.raw import RawReceived
from schemas.reports import ReportNormalized
from streams.broker import Broker
from streams.cli_run import children, prepare
from streams.config import Settings
from streams.kafka_log import KafkaLog
from streams.log import partitions_of
from streams.prove_direct import NAME as DIRECT
from streams.serving import address_of
from streams.supervisor import Child, Supervisor

SECRET = "a secret of this proof"  # noqa: S105  # it guards nothing
PATH = "/webhooks/github"
START_S_MAX = 90.0
_CHILDREN = ("gateway", "short")
_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Webhook:
    """A signed delivery, ready to be posted to `PATH`."""

    delivery: str
    body: bytes
    headers: Mapping[str, str]


def webhook(number: int) -> Webhook:
    """Return the delivery with this number: an issue of its own, by a user of its own."""
    body = json.dumps(_payload(number)).encode()
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    delivery = f"delivery-{number}"
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "issues",
        "X-GitHub-Delivery": delivery,
        "X-Hub-Signature-256": f"sha256={signature}",
    }
    return Webhook(delivery, body, headers)


def _payload(number: int) -> Mapping[str, object]:
    return {
        "action": "opened",
        "issue": {
            "number": number + 1,
            "title": f"Total number {number} is wrong",
            "body": f"It says {number} where it should say something else.",
            "state": "open",
            "user": {"login": f"user-{number}"},
            "author_association": "NONE",
        },
        "repository": {"full_name": "acme/shop"},
        "sender": {"login": f"user-{number}"},
    }


@dataclass(frozen=True, slots=True)
class Counted:
    """Deliveries and reports in Kafka, with how often each is there."""

    raw: Counter[str]
    normalized: Counter[str]


@contextmanager
def real_system(broker: Broker) -> Iterator[str]:
    """Yield the address of the gateway of a real system, kept running by the real supervisor."""
    with tempfile.TemporaryDirectory(prefix="bugstream-prove-") as folder, ExitStack() as stack:
        conf = Settings(
            data_dir=Path(folder),
            kafka=broker.bootstrap,
            port=0,
            github_webhook_secrets=(SecretStr(SECRET),),
        )
        prepare(conf)
        words = conf.data_path / "words"
        chosen = [_quiet(child, words) for child in children(conf) if child.name in _CHILDREN]
        stop = threading.Event()
        supervisor = Supervisor(chosen, conf.data_path, conf.drain_s_max, lambda _: None)
        thread = threading.Thread(target=supervisor.run, args=(stop,))
        thread.start()
        stack.callback(thread.join)
        stack.callback(stop.set)
        yield address(lambda: address_of(conf))


def _quiet(child: Child, words: Path) -> Child:
    """Return `child` with its log in a file: a dead broker makes it say much."""
    shell = ("/bin/sh", "-c", 'exec "$@" >>"$0" 2>&1', str(words))
    return replace(child, argv=(*shell, *child.argv))


def address(ask: Callable[[], str | None]) -> str:
    """Return what `ask` names once it answers. Raises `FatalError` when it does not in time."""
    deadline = time.monotonic() + START_S_MAX
    while True:
        url = ask()
        if url is not None and _answers(url):
            return url
        if time.monotonic() > deadline:
            raise FatalError(f"the gateway did not start within {START_S_MAX:.0f} s")
        time.sleep(_POLL_S)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=1) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except OSError:
        return False


def count(broker: Broker, route: str) -> Counted:
    """Return what is in Kafka of the deliveries that came by `route`."""
    found = Counted(Counter(), Counter())
    sources = partitions_of(topics.RAW["github"], topics.BUGS_NORMALIZED)
    with KafkaLog(broker.bootstrap) as log:
        for record in log.read(dict.fromkeys(sources, 0)):
            event = decode(record.value)
            if isinstance(event, RawReceived) and event.route == route:
                found.raw[event.delivery_id] += 1
            elif isinstance(event, ReportNormalized) and route != DIRECT:
                found.normalized[event.report.origin.item] += 1
    return found
