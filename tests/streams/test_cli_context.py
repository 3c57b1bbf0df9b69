"""What commands open, and what they say when it cannot be opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.errors import UserError
from streams.cli_context import open_blobs, open_log
from streams.config import Settings
from streams.log import RetriableError


def test_a_kafka_that_does_not_answer_is_named_with_the_way_out(tmp_path: Path) -> None:
    conf = Settings(data_dir=tmp_path, kafka="127.0.0.1:1")

    with (
        pytest.raises(UserError, match=r"127\.0\.0\.1:1 does not answer.*--bootstrap"),
        open_log(conf),
    ):
        raise RetriableError("too slow")


def test_a_folder_that_cannot_hold_blobs_is_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "blobs").touch()

    with pytest.raises(UserError, match="BUGSTREAM_DATA_DIR"):
        open_blobs(Settings(data_dir=tmp_path))
