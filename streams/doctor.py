"""Checks what bugstream needs on this machine, and says how to get what is missing."""

from __future__ import annotations

import platform
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel, SecretStr

from schemas.errors import UserError
from schemas.projects import Project
from schemas.values import SandboxUnavailableError
from streams.config import ACCOUNTS, Settings
from streams.doctor_accounts import check_accounts
from streams.doctor_channels import check_channels
from streams.doctor_kafka import Check, check_kafka
from streams.doctor_mail import check_mailboxes
from streams.environment import git_env
from streams.java import find_java
from streams.kafka_jars import jars_dir, locked_jars, missing_jars
from streams.oversights import oversights

PACKAGES = ("streams", "processors", "schemas", "projections", "connectors")
DISK_BYTES_MIN = 200_000_000
DISK_BYTES_WISE = 2_000_000_000
ANSWER_S_MAX = 20
MASK = "********"


def examine(settings: Settings) -> Iterator[Check]:
    """Yield one result after the other; each takes seconds at most."""
    checks: list[Callable[[], Check]] = [
        _python,
        _package_names,
        _git,
        lambda: _data_dir(settings.data_dir.absolute()),
    ]
    if settings.kafka is None:
        checks += [_java, _jars]
    checks += [lambda: check_kafka(settings), _sandbox, lambda: _model(settings)]
    for check in checks:
        yield check()
    for said in oversights(settings):
        yield Check("settings", "note", said)
    yield from check_channels(settings)
    yield from check_accounts(settings)
    yield from check_mailboxes(settings)
    if not settings.project:
        way_out = "Add a [[project]] with id, sources and git_url to bugstream.toml."
        yield Check("projects", "note", "none: reports are sorted, and never fixed", way_out)
    for project in settings.project:
        yield from _project(project)


def masked(settings: Settings) -> dict[str, Any]:
    """Return the settings for people to read: nothing in it lets anyone in anywhere."""
    values = settings.model_dump(mode="json")
    for name in ("github_webhook_secrets", "api_tokens"):
        values[name] = [MASK for _ in values[name]]
    values["webhook_secrets"] = {n: [MASK for _ in s] for n, s in values["webhook_secrets"].items()}
    for name in ACCOUNTS:
        values[name] = _masked_account(getattr(settings, name))
    values["anthropic_api_key"] = MASK if settings.anthropic_api_key else None
    # Harmless ones are few and unknown; a password among them may have any name.
    values["kafka_options"] = dict.fromkeys(values["kafka_options"], MASK)
    values["database_url"] = _masked_url(settings.database_url)
    for project in values["project"]:
        project["git_url"] = _masked_url(project["git_url"])
        # Webhook addresses are secrets by themselves.
        project["answer_url"] = MASK if project["answer_url"] else None
    return values


def _masked_account(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return MASK
    if isinstance(value, BaseModel):
        return {name: _masked_account(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, dict):
        return {name: _masked_account(each) for name, each in value.items()}
    if isinstance(value, tuple):
        return [_masked_account(each) for each in value]
    return str(value) if isinstance(value, Path) else value


def _masked_url(url: str | None) -> str | None:
    if url is None or "://" not in url:
        return url
    parts = urlsplit(url)
    credentials, at, host = parts.netloc.rpartition("@")
    user, colon, _ = credentials.partition(":")
    # A user alone is a name to ssh, and may be a token elsewhere (https://TOKEN@host).
    alone = user if parts.scheme in ("ssh", "git+ssh") else MASK
    who = f"{user}:{MASK}" if colon else alone
    query = MASK if parts.query else ""
    return urlunsplit(parts._replace(netloc=f"{who}@{host}" if at else host, query=query))


def _python() -> Check:
    # The package does not install on anything older; this names what runs.
    return Check("python", "ok", f"{platform.python_implementation()} {platform.python_version()}")


def _package_names() -> Check:
    owners = packages_distributions()
    others = {
        f"{owner} ({name})"
        for name in PACKAGES
        for owner in owners.get(name, ())
        if owner != "bugstream"
    }
    if not others:
        return Check("package names", "ok", "ours alone")
    way_out = "Uninstall them here, or give bugstream a virtual environment of its own."
    found = f"also shipped by {', '.join(sorted(others))}: files of both are mixed"
    return Check("package names", "missing", found, way_out)


def _git() -> Check:
    try:
        found = _answer_of(["git", "--version"])
    except (OSError, subprocess.SubprocessError):
        way_out = "Install git (Debian and Ubuntu: apt install git; macOS: xcode-select --install)."
        return Check("git", "missing", "not found on PATH", way_out)
    return Check("git", "ok", found)


def _data_dir(folder: Path) -> Check:
    # It may not exist yet: then what counts is the folder that it will be made in.
    there = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            pass  # It can be written, or this would have failed.
        free = shutil.disk_usage(there).free
    except OSError as error:
        way_out = "Set data_dir (BUGSTREAM_DATA_DIR) to a folder that can be written."
        return Check("data folder", "missing", f"{folder}: {error.strerror}", way_out)
    found = f"{folder}, {free / 1e9:.1f} GB free"
    way_out = "Free some space, or set data_dir (BUGSTREAM_DATA_DIR) to a larger disk."
    if free < DISK_BYTES_MIN:
        return Check("data folder", "missing", found, way_out)
    if free < DISK_BYTES_WISE:
        return Check("data folder", "note", found, way_out)
    return Check("data folder", "ok", found)


def _java() -> Check:
    try:
        java = find_java()
    except UserError as error:
        return Check("java", "missing", "none of version 17 or newer", str(error))
    return Check("java", "ok", f"Java {java.major} from {java.source} ({java.path})")


def _jars() -> Check:
    missing = missing_jars()
    if not missing:
        return Check("kafka jars", "ok", f"{len(locked_jars())} in {jars_dir()}, sums right")
    megabytes = sum(jar.size_bytes for jar in missing) / 1e6
    found = f"{len(missing)} of {len(locked_jars())} are not in {jars_dir()}"
    way_out = f"`bugstream broker up` fetches them once ({megabytes:.0f} MB)."
    return Check("kafka jars", "note", found, way_out)


def _sandbox() -> Check:
    from connectors.sandbox import find_sandbox

    try:
        return Check("sandbox", "ok", find_sandbox().check())
    except SandboxUnavailableError as error:
        return Check("sandbox", "missing", "self-test not passed: no code is run", str(error))


def _model(settings: Settings) -> Check:
    if settings.anthropic_api_key is not None:
        return Check("model", "ok", f"{settings.anthropic_model} (the key is set, not tried)")
    way_out = "Set BUGSTREAM_ANTHROPIC_API_KEY to let a model write patches too."
    return Check("model", "note", "no key: the offline engine alone writes patches", way_out)


def _project(project: Project) -> Iterator[Check]:
    name = f"project {project.id}"
    if project.git_url is None:
        yield Check(name, "note", "no git_url: its reports are sorted, and never fixed")
        return
    yield _remote(name, project.git_url, project.branch)
    if project.python is not None:
        yield _interpreter(name, project.python)


def _remote(name: str, url: str, branch: str) -> Check:
    shown = _masked_url(url)
    try:
        answer = _answer_of(["git", "ls-remote", "--heads", "--", url, f"refs/heads/{branch}"])
    except (OSError, subprocess.SubprocessError):
        way_out = "Correct git_url, or give git a way to sign in (GIT_ASKPASS, SSH_AUTH_SOCK)."
        return Check(name, "missing", f"{shown} cannot be read", way_out)
    if not answer:
        return Check(name, "missing", f"{shown} has no branch {branch}", "Correct `branch`.")
    return Check(name, "ok", f"{shown}, branch {branch} at {answer[:12]}")


def _interpreter(name: str, python: Path) -> Check:
    from connectors.target_python import target_python

    try:
        target_python(python)
        version = _answer_of([str(python), "-I", "-c", "import pytest; print(pytest.__version__)"])
    except (SandboxUnavailableError, UserError) as error:
        return Check(name, "missing", f"python {python} cannot be used", str(error))
    except (OSError, subprocess.SubprocessError):
        way_out = f"Install pytest and the project's packages there: {python} -m pip install pytest"
        return Check(name, "missing", f"python {python} does not run pytest", way_out)
    return Check(name, "ok", f"{python} with pytest {version}")


def _answer_of(argv: list[str]) -> str:
    """Return what `argv` prints. Raises `OSError` or `SubprocessError` when it does not work."""
    env = git_env() | {"GIT_TERMINAL_PROMPT": "0"}
    done = subprocess.run(
        argv, capture_output=True, text=True, env=env, timeout=ANSWER_S_MAX, check=True
    )
    return done.stdout.strip()
