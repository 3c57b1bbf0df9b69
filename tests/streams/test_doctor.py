"""The doctor masks what lets anyone in, finds what is missing, and says how to get it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.accounts.account import TokenAccount
from schemas.projects import Project
from streams.config import Settings
from streams.doctor import MASK, examine, masked
from streams.doctor_kafka import Check

CANARY = "canary-0815"


def _settings(folder: Path, **values: object) -> Settings:
    # Its own Kafka is out of reach at once: nothing listens on port 9.
    return Settings.model_validate({"data_dir": folder, "kafka": "127.0.0.1:9", **values})


def _found(settings: Settings) -> dict[str, Check]:
    return {check.name: check for check in examine(settings)}


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.doctor_kafka.REACH_S_MAX", 0.3)


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    path = tmp_path / "remote.git"
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.invalid", "-C", str(path)]
    subprocess.run(["git", "init", "-q", "-b", "main", str(path)], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "first"], check=True)
    return path


def test_a_token_of_any_account_is_masked() -> None:
    one = TokenAccount.model_validate({"url": "https://zulip.example", "token": "s3cret"})
    shown = masked(Settings().model_copy(update={"account": {"zulip": one}}))

    assert shown["account"]["zulip"]["token"] == MASK
    assert "s3cret" not in str(shown)


def test_nothing_that_lets_anyone_in_is_printed(tmp_path: Path) -> None:
    settings = _settings(
        tmp_path,
        github_webhook_secrets=[CANARY],
        api_tokens=[CANARY],
        anthropic_api_key=CANARY,
        kafka_options={"sasl.password": CANARY, "ssl.key.pem": CANARY},
        database_url=f"postgresql+psycopg://me:{CANARY}@db.example/bugs?password={CANARY}",
        project=[
            Project(
                id="shop",
                git_url=f"https://{CANARY}@git.example/shop.git",
                answer_url=f"https://chat.example/{CANARY}",
            ),
            Project(id="till", git_url=f"https://me:{CANARY}@git.example/till.git"),
            Project(id="door", git_url="ssh://git@git.example/door.git"),
        ],
    )

    shown = masked(settings)

    assert CANARY not in json.dumps(shown)
    assert shown["database_url"] == f"postgresql+psycopg://me:{MASK}@db.example/bugs?{MASK}"
    assert [p["git_url"] for p in shown["project"]] == [
        f"https://{MASK}@git.example/shop.git",
        f"https://me:{MASK}@git.example/till.git",
        "ssh://git@git.example/door.git",
    ]
    assert set(shown) == set(Settings.model_fields)


def test_what_is_here_is_found(tmp_path: Path, remote: Path) -> None:
    project = Project(id="shop", git_url=str(remote), python=Path(sys.executable))
    found = _found(_settings(tmp_path, project=[project]))

    for name in ("python", "package names", "git", "data folder", "project shop"):
        assert found[name].state == "ok", found[name]


@pytest.mark.sandbox
def test_the_sandbox_is_really_tried(tmp_path: Path) -> None:
    sandbox = _found(_settings(tmp_path))["sandbox"]

    assert sandbox.state == "ok"
    assert "no network" in sandbox.found


def test_java_and_jars_matter_only_to_the_embedded_kafka(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    embedded = _found(_settings(tmp_path, kafka=None))
    assert embedded["java"].state == "ok"
    assert embedded["kafka jars"].state == "note"
    assert "46 of 46" in embedded["kafka jars"].found
    assert "(45 MB)" in embedded["kafka jars"].way_out

    assert not {"java", "kafka jars"} & set(_found(_settings(tmp_path)))


def test_a_machine_without_git_is_told_where_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    git = _found(_settings(tmp_path))["git"]

    assert (git.state, "apt install git" in git.way_out) == ("missing", True)


def test_a_data_folder_that_cannot_be_is_missing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    folder = _found(_settings(tmp_path / "file" / "data"))["data folder"]

    assert folder.state == "missing"
    assert "BUGSTREAM_DATA_DIR" in folder.way_out


@pytest.mark.parametrize(("free", "state"), [(10**8, "missing"), (10**9, "note"), (10**10, "ok")])
def test_disk_space_is_judged(
    free: int, state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": free}))

    assert _found(_settings(tmp_path))["data folder"].state == state


def test_another_owner_of_our_package_names_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    info = site / "foreign-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign\nVersion: 1.0\n")
    (info / "top_level.txt").write_text("schemas\n")
    monkeypatch.syspath_prepend(str(site))

    names = _found(_settings(tmp_path))["package names"]

    assert names.state == "missing"
    assert "foreign (schemas)" in names.found


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"git_url": "/nowhere/at/all.git"}, "cannot be read"),
        ({"branch": "gone"}, "has no branch gone"),
        ({"python": Path("/nowhere/python")}, "cannot be used"),
        ({"git_url": None}, "no git_url"),
    ],
)
def test_what_is_wrong_with_a_project_is_named(
    change: dict[str, object], says: str, tmp_path: Path, remote: Path
) -> None:
    project = Project.model_validate({"id": "shop", "git_url": str(remote), **change})

    found = [c for c in examine(_settings(tmp_path, project=[project])) if c.name == "project shop"]

    assert says in found[-1].found
    assert found[-1].state == ("note" if change == {"git_url": None} else "missing")
