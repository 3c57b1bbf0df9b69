"""The example settings file: everything that can be set stands in it, as it is by default."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr
from pydantic_core import PydanticUndefined

from schemas.accounts.mailbox import OAuth
from streams.channels import DOORS
from streams.config import ACCOUNTS, Settings, load
from streams.oversights import oversights
from tests.test_docs import PAGES

FILE = Path(__file__).parent.parent / "deploy" / "bugstream.example.toml"
_TABLE = re.compile(r"# \[\[?([a-z._]+)\]\]?")
_SET = re.compile(r"(##?) ([a-z][a-z_-]*) = (.+)")
TABLES = [name for name in ACCOUNTS if name != "account"]
"""What `account` may hold are channels that somebody adds: none is there by itself."""


@dataclass(frozen=True)
class Line:
    """One setting of the file, behind its comment sign."""

    table: str
    name: str
    value: Any
    is_example: bool
    """The text above says so."""


def lines() -> Iterator[Line]:
    table, prose, is_prose = "", "", False
    for text in FILE.read_text(encoding="utf-8").splitlines():
        if found := _TABLE.fullmatch(text):
            table = found[1]
        elif found := _SET.fullmatch(text):
            value = tomllib.loads(f"x = {found[3]}")["x"]
            is_example = found[1] == "##" or "example" in prose
            yield Line(table, found[2], value, is_example)
        elif text.startswith("#"):
            prose = f"{prose} {text}" if is_prose else text
        is_prose = text.startswith("# ") and not (_TABLE.fullmatch(text) or _SET.fullmatch(text))


def model_of(table: str) -> type[BaseModel]:
    if table == "mailbox.oauth":
        return OAuth
    model: type[BaseModel] = Settings
    if table:
        annotation: Any = Settings.model_fields[table].annotation
        kinds = [annotation, *getattr(annotation, "__args__", ())]
        [model] = [one for one in kinds if isinstance(one, type) and issubclass(one, BaseModel)]
    return model


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.environ", {})


def test_as_it_stands_it_changes_nothing() -> None:
    assert load(FILE).model_dump() == load().model_dump()


def test_with_every_line_in_force_it_is_right_and_says_nothing_in_vain(tmp_path: Path) -> None:
    every = re.sub(r"^# (\[|[a-z][a-z_-]* = )", r"\1", FILE.read_text("utf-8"), flags=re.MULTILINE)
    (tmp_path / "all.toml").write_text(every, encoding="utf-8")

    found = load(tmp_path / "all.toml")

    assert all(getattr(found, name) for name in TABLES)
    assert len(found.project) == 1
    assert list(oversights(found)) == []


def test_every_setting_stands_in_it_once_and_no_other() -> None:
    tables = {
        table or "" for table in ("", *TABLES, "attachments", "tell", "project", "mailbox.oauth")
    }
    named = [(line.table, line.name) for line in lines() if line.table != "webhook_secrets"]
    twice_by_intent = {("mailbox.oauth", "token")}
    wanted = {
        (table, name)
        for table in tables
        for name in model_of(table).model_fields
        if name not in {*tables, "webhook_secrets", "oauth", "account"}
    }

    assert set(named) == wanted
    assert {one for one in named if named.count(one) > 1} <= twice_by_intent


def test_every_door_stands_in_it_with_the_path_that_leads_to_it() -> None:
    named = {line.name for line in lines() if line.table == "webhook_secrets"}
    text = FILE.read_text(encoding="utf-8")

    assert named == {door.name for door in DOORS} - {"github"}
    assert all(f"{door.path}" in text for door in DOORS)


def test_what_is_no_example_is_the_default() -> None:
    checked = 0
    for line in lines():
        if line.table == "webhook_secrets" or line.is_example:
            continue
        field = model_of(line.table).model_fields[line.name]
        default = field.get_default(call_default_factory=True)
        if default in (PydanticUndefined, None) or isinstance(default, SecretStr):
            pytest.fail(f"{line.table}.{line.name} has no default: say that it is an example")
        if isinstance(default, tuple):
            default = list(default)
        assert line.value == (str(default) if isinstance(default, Path) else default), line.name
        checked += 1

    assert checked > 45


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_both_pages_lead_to_it(page: Path) -> None:
    assert "deploy/bugstream.example.toml" in page.read_text(encoding="utf-8")
