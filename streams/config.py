"""The settings: one frozen model, read once in `main()`, from a TOML file and `BUGSTREAM_*`."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Collection
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, get_args

from pydantic import (
    AliasChoices,
    BaseModel,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from schemas.accounts.account import Account, Secret, TokenAccount
from schemas.accounts.discord import DiscordAccount
from schemas.accounts.github import GitHubAccount
from schemas.accounts.jira import JiraAccount
from schemas.accounts.mailbox import Mailbox
from schemas.accounts.monitoring import AlertmanagerAccount, SentryAccount
from schemas.accounts.slack import SlackAccount
from schemas.attachments import AttachmentPolicy
from schemas.errors import UserError
from schemas.event import CHANNELS
from schemas.projects import Project
from schemas.reports import UNASSIGNED
from schemas.tell import Tell

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

DEFAULT_FILE = Path("bugstream.toml")
HANDED_DOWN = "BUGSTREAM_HANDED_DOWN"
"""Set by our own supervisor for its children: then nothing else is read."""
ACCOUNTS = (
    *("github", "jira", "slack", "discord", "mailbox", "alertmanager", "sentry"),
    "account",
)
"""Fields that say who we are at a provider, tokens and all."""
SECRETS = (
    *ACCOUNTS,
    "github_webhook_secrets",
    "webhook_secrets",
    "api_tokens",
    "anthropic_api_key",
    "kafka_options",
)
"""Fields that a child gets only when it needs them; `kafka_options` may hold a password."""


class Settings(BaseSettings):
    """What can be set. Environment wins over the file; `bugstream doctor` prints it, masked."""

    model_config = SettingsConfigDict(
        env_prefix="BUGSTREAM_", env_nested_delimiter="__", frozen=True, extra="forbid"
    )

    data_dir: Path = Path(".bugstream")
    """Inbox, ledger, views, blobs, mirrors, and the embedded Kafka's data."""
    app: str = Field(default="bugstream", pattern=r"^[a-z][a-z0-9-]{0,31}$")
    """Prefix of consumer groups and transactional ids: two deployments on one Kafka differ here."""
    kafka: str | None = None
    """Bootstrap servers of your own Kafka (3.7 or newer); unset: an embedded one is started."""
    kafka_options: dict[str, str] = Field(default_factory=dict)
    """Passed to librdkafka as they are, such as `security.protocol` or `sasl.mechanisms`."""
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    database_url: str | None = None
    """SQLAlchemy URL of a PostgreSQL for inbox, ledger and views; unset: SQLite in `data_dir`."""
    github_webhook_secrets: tuple[Secret, ...] = ()
    """At most two live secrets, so that one can be changed without a gap."""
    webhook_secrets: dict[str, tuple[Secret, ...]] = Field(default_factory=dict)
    """The same for every other door, by its name: `bugstream doctor` lists them."""
    github: GitHubAccount | None = None
    jira: JiraAccount | None = None
    slack: SlackAccount | None = None
    discord: DiscordAccount | None = None
    mailbox: tuple[Mailbox, ...] = ()
    alertmanager: AlertmanagerAccount | None = None
    sentry: SentryAccount | None = None
    account: dict[str, TokenAccount] = Field(default_factory=dict)
    """The same for a channel that needs no more than this, by its name."""
    api_tokens: tuple[Secret, ...] = ()
    """Bearer tokens of `POST /api/v1/bugs/receive` and of commands."""
    anthropic_api_key: SecretStr | None = Field(
        default=None,
        # The second is also the vendor's own variable: names are compared without their case.
        validation_alias=AliasChoices("bugstream_anthropic_api_key", "anthropic_api_key"),
    )
    anthropic_model: str = "claude-sonnet-5-5"
    anthropic_model_escalated: str = "claude-opus-5-5"
    """Used from the second attempt on."""
    model_steps_max: int = Field(default=40, ge=1, le=500)
    model_wall_s_max: int = Field(default=900, ge=10)
    embedder: str = Field(default="bundled", min_length=1)
    """What makes vectors of reports: `bundled`, `none`, or any by name (extra `st`)."""
    template_wall_s_max: int = Field(default=300, ge=5)
    """How long the offline engine may try candidates for one bug."""
    template_candidates_max: int = Field(default=5000, ge=1)
    drain_s_max: int = Field(default=20, ge=1)
    """How long a stage may finish its work after SIGTERM."""
    attachments: AttachmentPolicy = AttachmentPolicy()
    """Which files that reports name may be fetched; unset: none."""
    tell: Tell = Tell()
    """Who is told what, and when."""
    project: tuple[Project, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(self.github_webhook_secrets) > 2:
            raise ValueError("github_webhook_secrets: at most two may be live at once")
        for name, secrets in self.webhook_secrets.items():
            if len(secrets) > 2:
                raise ValueError(f"webhook_secrets.{name}: at most two may be live at once")
            if name == "github":
                raise ValueError("webhook_secrets.github: set github_webhook_secrets")
        if self.database_url is not None and "://" not in self.database_url:
            raise ValueError("database_url: use a SQLAlchemy URL such as postgresql://HOST/NAME")
        ids = [project.id for project in self.project]
        if len(ids) != len(set(ids)):
            raise ValueError("project: two projects have the same id")
        addresses = [box.address.casefold() for box in self.mailbox]
        if len(addresses) != len(set(addresses)):
            raise ValueError("mailbox: two mailboxes have the same address")
        if UNASSIGNED in ids:
            raise ValueError(f"project: the id {UNASSIGNED!r} is reserved")
        self._require_channels()
        return self

    def _require_channels(self) -> None:
        named = [
            (f"project {project.id}: {setting}: {one[:80]!r}", channel)
            for project in self.project
            for setting, one, channel in project.named()
        ]
        if not self.account and all(channel in CHANNELS for _, channel in named):
            return
        # Takes half a second, which nobody pays who uses the channels that all know.
        from streams.channels import WAYS

        channels, accounts = [way.channel for way in WAYS], {way.account for way in WAYS}
        for what, channel in named:
            if channel not in channels:
                raise ValueError(f"{what} names nothing; the channels are {', '.join(channels)}")
        for name in self.account:
            if f"account.{name}" not in accounts:
                raise ValueError(f"account.{name[:40]}: no channel has such an account")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then environment, then the file: no other source."""
        del dotenv_settings, file_secret_settings
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls))

    @property
    def data_path(self) -> Path:
        """Return the data folder as an absolute path, made if it is missing."""
        path = self.data_dir.absolute()
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"data_dir {path} cannot be made: {error.strerror}") from error
        return path

    def store_url(self, store: Literal["inbox", "ledger", "views"]) -> str:
        """Return the SQLAlchemy URL of a store: a SQLite file of its own, or the one database."""
        return self.database_url or f"sqlite:///{self.data_path / store}.sqlite"

    def for_child(self, secrets: Collection[str], **changes: Any) -> dict[str, str]:
        """Return the environment that hands these settings to a child process.

        Of the secrets it gets those whose field is named, and no settings file to read the rest.
        """
        mine = self.model_copy(update={"data_dir": self.data_path, **changes})
        kept = {name: _reveal(getattr(mine, name)) for name in SECRETS if name in secrets}
        values = mine.model_dump(mode="json", exclude=set(SECRETS)) | kept
        return {HANDED_DOWN: json.dumps(values)}

    def secrets_by_door(self) -> dict[str, list[str]]:
        """Return the live secrets of every door that has any."""
        held = {"github": self.github_webhook_secrets, **self.webhook_secrets}
        return {n: [one.get_secret_value() for one in live] for n, live in held.items() if live}

    def accounts_at(self, table: str) -> tuple[Account, ...]:
        """Return who we are at a provider, by the table's name, such as `slack`."""
        field, _, name = table.partition(".")
        held = getattr(self, field)
        held = held.get(name) if name else held
        return held if isinstance(held, tuple) else (held,) if held else ()

    def project_of(self, project_id: str) -> Project | None:
        """Return the project with this id; None for `unassigned` and for one since removed."""
        return next((p for p in self.project if p.id == project_id), None)


class _Inherited(Settings):
    """Settings from a parent: values alone, no other source."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what is given, and nothing else."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)


def _reveal(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, BaseModel):
        return {name: _reveal(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, dict):
        return {name: _reveal(each) for name, each in value.items()}
    return [_reveal(each) for each in value] if isinstance(value, tuple) else value


def load(file: Path | None = None, **overrides: Any) -> Settings:
    """Return the settings. Raises `UserError` naming the field and the way out."""
    handed_down = os.environ.get(HANDED_DOWN)
    if handed_down is not None:
        return _Inherited.model_validate_json(handed_down)
    path = file or DEFAULT_FILE
    if file is not None and not file.exists():
        raise UserError(f"--config {file}: there is no such file")
    if path.exists() and not path.is_file():
        raise UserError(f"{path} is not a file; give the settings file with --config")

    class _FromFile(Settings):
        model_config = SettingsConfigDict(toml_file=path)

    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return _FromFile(**given)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not valid TOML: {error}") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    except SettingsError as error:
        # Its words quote no value: it may be a secret.
        raise UserError(f"{error}: in the environment it must be valid JSON") from error
    except ValidationError as error:
        raise UserError(_explain(error, path)) from error


def unknown_variables() -> list[str]:
    """Return a sentence for each variable that begins like ours and sets nothing."""
    known = {f"BUGSTREAM_{name}".upper() for name in Settings.model_fields}
    known |= {
        f"BUGSTREAM_{name}__{inner}".upper()
        for name, field in Settings.model_fields.items()
        for inner in getattr(_table_in(field.annotation), "model_fields", ())
    }
    found = []
    for given in sorted(os.environ):
        name = given.upper()
        # What follows two underscores is refused by name when the settings are read.
        if not name.startswith("BUGSTREAM_") or name == HANDED_DOWN or name.split("__")[0] in known:
            continue
        near = get_close_matches(name, known, n=1)
        found.append(f"{given[:80]} sets nothing" + (f"; did you mean {near[0]}?" if near else ""))
    return found


def _explain(error: ValidationError, path: Path) -> str:
    lines = []
    for problem in error.errors(include_input=False, include_url=False):
        where = ".".join(str(part) for part in problem["loc"])
        lines.append(f"{where}: {_what(problem)}" if where else _what(problem))
    source = f"in {path} or " if path.is_file() else ""
    return f"Settings are wrong; correct them {source}in BUGSTREAM_*:\n  " + "\n  ".join(lines)


def _what(problem: ErrorDetails) -> str:
    """Return pydantic's words, or ours where they speak of Python and not of the file."""
    kind, place = problem["type"], problem["loc"]
    table = place[0] if place else ""
    if kind == "extra_forbidden":
        near = get_close_matches(str(place[-1]), _names_at(place), n=1)
        return "there is no such setting" + (f"; did you mean {near[0]}?" if near else "")
    if kind == "tuple_type" and place in {("project",), ("mailbox",)}:
        return f"write each {table} as a table under [[{table}]]"
    if kind == "string_pattern_mismatch" and "https?" in problem["ctx"]["pattern"]:
        return "must be an address that begins with https:// (or http://)"
    said = {
        "missing": "is missing",
        "tuple_type": 'must be a list, such as ["one"]',
        "model_type": f"write it once, as a table under [{table}]",
        "dict_type": f"must be a table, [{table}]",
        "too_short": "is empty",
    }
    return said.get(kind, problem["msg"].removeprefix("Value error, "))


def _names_at(place: tuple[int | str, ...]) -> Collection[str]:
    table: type[BaseModel] | None = Settings
    for part in place[:-1]:
        if table is not None and isinstance(part, str):
            field = table.model_fields.get(part)
            table = _table_in(field.annotation) if field else None
    return table.model_fields if table else ()


def _table_in(annotation: Any) -> type[BaseModel] | None:
    """Return the table that a setting of this type is, or is a list of; None: it is a value."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_table_in, get_args(annotation))), None)
