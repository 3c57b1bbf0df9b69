"""Offer a pushed branch to people at GitHub: a pull request, and a check on its commit.

The branch is pushed by git as ever. What GitHub refuses of the rest is noted, not failed over:
the verified patch is on its branch.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import urlsplit
from uuid import UUID

from connectors.channel import child, plain, text, url
from connectors.github_client import GitHubClient, repo_path
from connectors.github_http import RefusalError
from connectors.github_messenger import marked
from schemas.errors import PoisonError, TransientError
from schemas.fixes import Proposal
from schemas.projects import Project
from schemas.values import Offer, Release

CHECK = "bugstream"
"""What the check or the status of a commit is called."""
STATUS_CHARS_MAX = 140
SUMMARY_CHARS_MAX = 65_000
NOTE_CHARS_MAX = 300
_SCP = re.compile(r"(?:[\w.-]+@)?(?P<host>[\w.-]+):(?P<path>[\w./-]+)", re.ASCII)
_FULL_NAME = re.compile(r"[\w.-]{1,100}/[\w.-]{1,100}", re.ASCII)
_STATES = {"success": "success", "failure": "failure"}


class _Forge(Protocol):
    def find(self, project: Project, branch: str) -> Release | None: ...

    def release(
        self,
        project: Project,
        *,
        branch: str,
        base_commit: str,
        proposal: Proposal,
        message: str,
        when: datetime,
        trace_id: UUID,
        offer: Offer | None = None,
    ) -> Release: ...


@dataclass(frozen=True, slots=True)
class GitHubForge:
    """A `Forge`: `git` pushes, and what is on GitHub is offered there as well."""

    git: _Forge
    client: GitHubClient
    repository_of: Callable[[Project], str | None]
    """`owner/name` at GitHub; None: the project is not there, and nothing is offered."""
    pull_requests: bool = True

    def find(self, project: Project, branch: str) -> Release | None:
        """Return the release of `branch` when all of it is there: what is missing can be made."""
        found = self.git.find(project, branch)
        repository = self.repository_of(project)
        if found is None or repository is None:
            return found
        try:
            address = None
            if self.pull_requests:
                address = self._pull_request(repository, branch, project.branch)
            is_complete = (address is not None) == self.pull_requests
            is_complete = is_complete and self._is_checked(repository, found)
        except PoisonError:
            return None  # What may not be asked is tried, and its refusal noted.
        return replace(found, url=address) if is_complete else None

    def release(
        self,
        project: Project,
        *,
        branch: str,
        base_commit: str,
        proposal: Proposal,
        message: str,
        when: datetime,
        trace_id: UUID,
        offer: Offer | None = None,
    ) -> Release:
        """Push, then open the pull request and write the check, unless they are there.

        Raises what the push raises, and `TransientError` when GitHub may answer later.
        """
        pushed = self.git.release(
            project,
            branch=branch,
            base_commit=base_commit,
            proposal=proposal,
            message=message,
            when=when,
            trace_id=trace_id,
        )
        repository = self.repository_of(project)
        if repository is None or offer is None:
            return pushed
        notes: list[str] = []
        address: str | None = None
        try:
            if self.pull_requests:
                address = self._open(repository, branch, project.branch, offer, trace_id)
        except PoisonError as error:
            notes.append(f"No pull request could be opened: {error}")
        pushed = replace(pushed, url=address)
        try:
            self._check(repository, pushed, offer)
        except PoisonError as error:
            notes.append(f"The commit could not be marked as checked: {error}")
        return replace(pushed, note=_sentences(notes))

    # --- the pull request ---

    def _open(
        self, repository: str, branch: str, base: str, offer: Offer, trace_id: UUID
    ) -> str | None:
        found = self._pull_request(repository, branch, base)
        if found is not None:
            return found
        body = {
            "title": offer.title,
            "head": branch,
            "base": base,
            "body": marked(offer.body, trace_id),
        }
        try:
            made = self.client.send("POST", f"{repo_path(repository)}/pulls", body)
        except RefusalError as error:
            # Somebody may have opened it since we looked.
            found = self._pull_request(repository, branch, base) if error.status == 422 else None
            if found is None:
                raise
            return found
        return url(made.get("html_url"))

    def _pull_request(self, repository: str, branch: str, base: str) -> str | None:
        """Return the address of the pull request of `branch`, open or not, the newest first."""
        owner = repository.partition("/")[0]
        query = {"head": f"{owner}:{branch}", "base": base, "state": "all"}
        for pull in self.client.items(f"{repo_path(repository)}/pulls", query):
            head = child(pull, "head")
            source = text(child(head, "repo").get("full_name"))
            # GitHub passes over a filter that it does not understand, and gives everything.
            is_of_branch = text(head.get("ref")) == branch
            is_for_base = text(child(pull, "base").get("ref")) == base
            if is_of_branch and is_for_base and source.casefold() == repository.casefold():
                return url(pull.get("html_url"))
        return None

    # --- the check ---

    def _check(self, repository: str, release: Release, offer: Offer) -> None:
        if self._is_checked(repository, release):
            return
        if self.client.is_app:
            self._write_check(repository, release, offer)
        elif offer.conclusion in _STATES:
            self._write_status(repository, release, offer)

    def _is_checked(self, repository: str, release: Release) -> bool:
        commit = f"{repo_path(repository)}/commits/{release.commit}"
        if self.client.is_app:
            runs = self.client.items(
                f"{commit}/check-runs", {"check_name": CHECK}, under="check_runs"
            )
            return any(text(run.get("external_id")) == str(release.trace_id) for run in runs)
        return any(text(one.get("context")) == CHECK for one in self._statuses(commit))

    def _statuses(self, commit: str) -> list[Mapping[str, Any]]:
        return list(self.client.items(f"{commit}/statuses"))

    def _write_check(self, repository: str, release: Release, offer: Offer) -> None:
        summary = offer.body[:SUMMARY_CHARS_MAX]
        body: dict[str, Any] = {
            "name": CHECK,
            "head_sha": release.commit,
            "status": "completed",
            "conclusion": offer.conclusion,
            "external_id": str(release.trace_id),
            "output": {"title": offer.summary, "summary": summary},
        }
        made = self.client.send("POST", f"{repo_path(repository)}/check-runs", body)
        if plain(made.get("id")) is None:
            raise TransientError("GitHub did not say which check was made")

    def _write_status(self, repository: str, release: Release, offer: Offer) -> None:
        body = {
            "state": _STATES[offer.conclusion],
            "context": CHECK,
            "description": offer.summary[:STATUS_CHARS_MAX],
        }
        if release.url:
            body["target_url"] = release.url
        self.client.send("POST", f"{repo_path(repository)}/statuses/{release.commit}", body)


def repository_of(project: Project, api_url: str) -> str | None:
    """Return `owner/name` of the project at the GitHub whose API is at `api_url`.

    By its `git_url`, where the branch is pushed to; where that tells no host, such as a folder or
    a name out of ssh's own settings, by its only source that is a repository of GitHub.
    """
    host, name = _place(project.git_url or "")
    if host is not None:
        return name if host == _web_host(api_url) else None
    named = {
        source.partition(":")[2]
        for source in project.sources
        if source.casefold().startswith("github:") and not source.endswith("*")
    }
    found = named.pop() if len(named) == 1 else ""
    return found if _FULL_NAME.fullmatch(found) else None


def _place(git_url: str) -> tuple[str | None, str | None]:
    """Return host and `owner/name` of a git URL; no host where it tells none."""
    if "://" in git_url:
        parts = urlsplit(git_url)
        host, path = parts.hostname, parts.path
    else:
        found = _SCP.fullmatch(git_url)
        host, path = (found["host"].lower(), found["path"]) if found else (None, "")
    if not host or not ("." in host or host == "localhost"):
        return None, None
    name = path.strip("/").removesuffix(".git")
    return host.removeprefix("ssh."), name if _FULL_NAME.fullmatch(name) else None


def _web_host(api_url: str) -> str:
    host = urlsplit(api_url).hostname or ""
    return host.removeprefix("api.") if host.endswith((".github.com", ".ghe.com")) else host


def _sentences(notes: list[str]) -> str | None:
    return " ".join(f"{note[:NOTE_CHARS_MAX].rstrip('.')}." for note in notes) or None
