from __future__ import annotations

from pathlib import Path

import pytest

from schemas.errors import UserError
from streams.config import HANDED_DOWN, Settings, load


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)


def test_the_file_is_read_and_the_environment_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "my.toml"
    file.write_text('port = 9000\napp = "one"\n[[project]]\nid = "shop"\n')
    monkeypatch.setenv("BUGSTREAM_PORT", "9001")

    settings = load(file)

    assert (settings.port, settings.app) == (9001, "one")
    assert settings.project_of("shop") is not None
    assert settings.project_of("unassigned") is None


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("prot = 1", "prot"),
        ("port = 99999", "port"),
        ('[[project]]\nid = "A B"', "project.0.id"),
        ('[[project]]\nid = "x"\nbrnch = "y"', "project.0.brnch"),
        ('[[project]]\nid = "x"\n[[project]]\nid = "x"', "same id"),
        ('[[project]]\nid = "unassigned"', "reserved"),
        ('github_webhook_secrets = ["a", "b", "c"]', "at most two"),
        ('database_url = "nonsense"', "postgresql://"),
        ("= 1", "not valid TOML"),
        ("prot = 1", "did you mean port?"),
        ('[[project]]\nid = "x"\nbrnch = "y"', "did you mean branch?"),
        ('project = "x"', "[[project]]"),
        ('github_webhook_secrets = "x"', "must be a list"),
        ("[slack]", "slack.token: is missing"),
        ('[slack]\ntoken = ""', "slack.token: is empty"),
        ('api_tokens = [""]', "api_tokens.0: is empty"),
        ('github_webhook_secrets = [""]', "github_webhook_secrets.0: is empty"),
        ('[[slack]]\ntoken = "x"', "as a table under [slack]"),
        ('[slack]\ntoken = "x"\nurl = "ftp://x"', "begins with https://"),
        ('[github]\ntoken = "x"\nurl = "http://ghe.acme.org"', "begin with https://"),
        ('[github]\ntoken = "x"\nlabels = { fixd = "y" }', "'fixd' is none of fixed"),
        ('[[mailbox]]\naddress = "a@b"\n[mailbox.oauth]\ntokn = "x"', "did you mean token?"),
        ('[[mailbox]]\naddress = "a@b"\n[[mailbox]]\naddress = "A@b"', "same address"),
        ("[tell]\nrecieved = []", "did you mean received?"),
        ('[tell]\nreceived = ["team"]', "tell.received.0: Input should be 'reporter'"),
        ('[tell]\nverified = ["reporter"]', "'assignee' or 'team'"),
        ('[[project]]\nid = "x"\nsources = ["gitub:a/b"]', "sources: 'gitub:a/b' names nothing"),
        ('[[project]]\nid = "x"\nteam = ["gitub:b"]', "the channels are github, jira"),
        ('[account.nowhere]\nurl = "https://x.example"\ntoken = "t"', "no channel has such"),
        ('[account.x]\nurl = "http://x.example"\ntoken = "t"', "begin with https://"),
        ('[[project]]\nid = "x"\nsources = ["github:"]', "sources: 'github:' names nothing"),
        ('[[project]]\nid = "x"\nmembers = ["bob"]', "members: 'bob' names nothing"),
        ('[[project]]\nid = "x"\nteam = ["bob"]', "team: 'bob' names nothing"),
        ('[[project]]\nid = "x"\ncontacts = { ann = "slack:T/C" }', "contacts: 'ann'"),
    ],
)
def test_a_wrong_setting_is_named_with_its_file(tmp_path: Path, text: str, names: str) -> None:
    (tmp_path / "bugstream.toml").write_text(text)

    with pytest.raises(UserError) as refused:
        load()

    assert names in str(refused.value)
    assert "bugstream.toml" in str(refused.value)
    assert "Value error" not in str(refused.value)


def test_a_file_that_is_no_text_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "bugstream.toml").write_bytes(b"\xff\xfe")

    with pytest.raises(UserError, match=r"bugstream\.toml is not valid TOML"):
        load()


def test_a_folder_in_the_place_of_the_file_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "bugstream.toml").mkdir()

    with pytest.raises(UserError, match="is not a file"):
        load()


def test_json_that_is_none_in_the_environment_is_named_without_its_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BUGSTREAM_API_TOKENS", "hunter2")

    with pytest.raises(UserError, match=r"api_tokens.*JSON") as refused:
        load()
    assert "hunter2" not in str(refused.value)


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        load(tmp_path / "none.toml")


def test_a_child_gets_its_own_secrets_and_reads_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bugstream.toml").write_text("port = 7")
    parent = Settings.model_validate(
        {"anthropic_api_key": "key-1", "api_tokens": ("token-1",), "port": 8}
    )

    handed = parent.for_child(("anthropic_api_key",), kafka="127.0.0.1:1")
    monkeypatch.setenv(HANDED_DOWN, handed[HANDED_DOWN])
    monkeypatch.setenv("BUGSTREAM_PORT", "9")
    child = load()

    assert "token-1" not in handed[HANDED_DOWN]
    assert child.api_tokens == ()
    assert child.anthropic_api_key is not None
    assert child.anthropic_api_key.get_secret_value() == "key-1"
    assert (child.port, child.kafka) == (8, "127.0.0.1:1")


@pytest.mark.parametrize("name", ["ANTHROPIC_API_KEY", "BUGSTREAM_ANTHROPIC_API_KEY"])
def test_the_vendors_own_variable_counts_too(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "key-2")

    key = load().anthropic_api_key

    assert key is not None
    assert key.get_secret_value() == "key-2"


def test_secrets_are_masked_when_printed() -> None:
    settings = Settings.model_validate({"anthropic_api_key": "key-1"})

    assert "key-1" not in repr(settings)


def test_a_data_folder_that_cannot_be_made_is_named() -> None:
    with pytest.raises(UserError, match="data_dir"):
        _ = Settings(data_dir=Path("/dev/null/x")).data_path


def test_the_environment_reaches_into_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUGSTREAM_GITHUB__TOKEN", "from-the-environment")

    github = load().github

    assert github is not None
    assert github.token is not None
    assert github.token.get_secret_value() == "from-the-environment"
