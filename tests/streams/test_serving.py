from __future__ import annotations

import json
import threading
import time
import urllib.request
from pathlib import Path

import pytest

from schemas.errors import UserError
from streams.config import Settings
from streams.memory_log import MemoryLog
from streams.serving import Gateway, address_of, listen
from streams.wiring import Parts, outline


def test_a_taken_port_is_named_with_the_way_out() -> None:
    with listen("127.0.0.1", 0) as taken, pytest.raises(UserError, match="--port"):
        listen("127.0.0.1", taken.getsockname()[1])


def test_it_serves_health_api_and_schema_and_says_where(tmp_path: Path) -> None:
    settings = Settings.model_validate({"data_dir": tmp_path, "port": 0})
    stop = threading.Event()
    with MemoryLog() as log, Parts(settings, log) as parts:
        thread = threading.Thread(target=Gateway(parts, outline()).run, args=(stop,))
        thread.start()
        try:
            deadline = time.monotonic() + 20
            while (url := address_of(settings)) is None and time.monotonic() < deadline:
                time.sleep(0.05)
            assert url is not None
            assert get(f"{url}/health") == {"status": "alive"}
            assert get(f"{url}/ready")["status"] == "ready"
            with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:
                metrics = answer.read().decode()
            paths = get(f"{url}/openapi.json")["paths"]
        finally:
            stop.set()
            thread.join()

    assert {"/webhooks/github", "/api/v1/bugs/receive", "/api/v1/bugs", "/metrics"} <= set(paths)
    assert 'bugstream_lag_records{stage="fix"} 0.0' in metrics
    assert address_of(settings) is None


def get(url: str) -> dict[str, object]:
    with urllib.request.urlopen(url, timeout=10) as answer:
        value = json.loads(answer.read())
    assert isinstance(value, dict)
    return value
