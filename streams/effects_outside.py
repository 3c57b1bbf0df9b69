"""The outside world of `prove --effects`: a model and a comment box, each a process of its own.

Both write what they accept to a file before they answer, and forget nothing. The comment box does
not look at idempotency keys when it accepts: what is posted twice is there twice.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

from streams.json_server import Answer, serving
from streams.prove_process import stop_with_parent, tell

DROP_EVERY = 7
"""Each so many accepted comments, one is not answered."""
WORK_S_MAX = 0.15
"""How long an answer may take, before and after it is accepted."""
COST_USD_MICROS = (500, 5_000)


class AppendOnly:
    """A file of JSON lines that many threads add to."""

    def __init__(self, path: Path) -> None:
        """Append to `path`, making it if it is missing."""
        self._path = path
        self._lock = threading.Lock()
        path.touch()

    def add(self, line: dict[str, Any]) -> int:
        """Add a line and return how many there are now."""
        with self._lock, self._path.open("r+", encoding="utf-8") as file:
            count = sum(1 for _ in file)
            file.write(json.dumps(line) + "\n")
        return count + 1

    def all(self) -> list[dict[str, Any]]:
        """Return every line."""
        with self._lock:
            return read_lines(self._path)


@dataclass(frozen=True, slots=True)
class Model:
    """Answers with a patch after a while, and charges for it whoever is still listening."""

    answers: AppendOnly
    random: Random

    def post(self, question: dict[str, Any]) -> Answer:
        """Return a made-up patch and what it costs."""
        cost = self.random.randint(*COST_USD_MICROS)
        time.sleep(self.random.uniform(0, WORK_S_MAX))
        self.answers.add({"bug": question["bug"], "cost_usd_micros": cost})
        time.sleep(self.random.uniform(0, WORK_S_MAX))
        return 200, {"line": f"bug {question['bug']} is fixed\n", "cost_usd_micros": cost}

    def get(self, key: str) -> Answer:
        """Return that a model cannot be asked what it said before."""
        del key
        return 404, {}


@dataclass(frozen=True, slots=True)
class Comments:
    """Accepts comments, and now and then forgets to say so."""

    accepted: AppendOnly
    random: Random

    def post(self, message: dict[str, Any]) -> Answer:
        """Accept `message`."""
        time.sleep(self.random.uniform(0, WORK_S_MAX))
        count = self.accepted.add(message)
        time.sleep(self.random.uniform(0, WORK_S_MAX))
        return None if count % DROP_EVERY == 0 else (201, {"receipt": f"comment-{count}"})

    def get(self, key: str) -> Answer:
        """Return the receipt of the first comment with this key."""
        for number, message in enumerate(self.accepted.all(), start=1):
            if message["key"] == key:
                return 200, {"receipt": f"comment-{number}"}
        return 404, {}


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return what an `AppendOnly` wrote."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def main(role: str, path: str) -> int:
    """Run one of the two until our input ends, and print its port first."""
    file, random = AppendOnly(Path(path)), Random(role)  # noqa: S311  # how slow is no secret
    place = Model(file, random) if role == "model" else Comments(file, random)
    with stop_with_parent() as stop, serving(place) as url:
        tell(urlsplit(url).port or 0)
        stop.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
