"""What is read of the process environment beside the settings, and what a child is given of it."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

PASSED_ON = (
    *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TERM"),
    *("XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "JAVA_HOME", "VIRTUAL_ENV", "PYTHONPATH"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    *("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
)
"""By name, so that a secret in the environment reaches no child that was not given it."""

GIT_SIGN_IN = ("GIT_ASKPASS", "SSH_AUTH_SOCK", "GIT_SSH_COMMAND")
"""How git gets credentials; given to the stages that talk to remotes, and to no other."""


def base_env() -> dict[str, str]:
    """Return the part of the environment that any child may see: no secret is in it."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in PASSED_ON or name.startswith("LC_")
    }


def git_env() -> dict[str, str]:
    """Return what git may see: the base, and what it signs in with. Never passed to a sandbox."""
    return base_env() | {name: os.environ[name] for name in GIT_SIGN_IN if name in os.environ}


def account() -> str:
    """Return the name of the account that runs us: of the system, not of the environment."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # A container may run under an id that has no name.
        return f"uid{os.getuid()}"


def java_home() -> Path | None:
    """Return the folder that JAVA_HOME names; None when it is not set."""
    home = os.environ.get("JAVA_HOME")
    return Path(home) if home else None


def cache_dir() -> Path:
    """Return this user's cache folder for bugstream, as the XDG rules say. It may not exist yet."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    # XDG: a relative path is invalid and is to be ignored.
    base = Path(given) if given.startswith("/") else Path.home() / ".cache"
    return base / "bugstream"
