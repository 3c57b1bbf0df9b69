"""Payloads about a branch of ours, as GitHub sends them, cut to what is read."""

from __future__ import annotations

from typing import Any

BRANCH = "bugstream/bug-2026-7f3k2/a1"
SHA = "ec26c3e57ca3a959ca5aad62de7213c562f8c821"
_PLACE = {"repository": {"full_name": "acme/shop"}, "sender": {"login": "bob", "type": "User"}}


def pull(action: str = "closed", *, branch: str = BRANCH, repo: int = 1, **pull: Any) -> Any:
    """Return a `pull_request` event; with another `repo` than 1 the branch lies in a fork."""
    return {
        "action": action,
        "number": 31,
        "pull_request": {
            "id": 900,
            "number": 31,
            "state": "closed",
            "merged": True,
            "html_url": "https://github.example/acme/shop/pull/31",
            "user": {"login": "bugstream[bot]"},
            "head": {"ref": branch, "sha": SHA, "repo": {"id": repo}},
            "base": {"ref": "main", "repo": {"id": 1}},
            **pull,
        },
        **_PLACE,
    }


def review(state: str = "approved", action: str = "submitted", **review: Any) -> Any:
    """Return a `pull_request_review` event."""
    return pull(action) | {
        "review": {
            "id": 70,
            "state": state,
            "body": None,
            "user": {"login": "cy"},
            "author_association": "MEMBER",
            **review,
        }
    }


def check(
    kind: str, conclusion: str | None, *, action: str = "completed", pulls: Any = (), **more: Any
) -> Any:
    """Return a `check_run` or `check_suite` event."""
    suite = {"id": 5, "head_branch": BRANCH, "head_sha": SHA}
    said = {"id": 6, "name": "tests", "head_sha": SHA, "check_suite": suite}
    said = suite if kind == "check_suite" else said
    return {
        "action": action,
        kind: {**said, "conclusion": conclusion, "pull_requests": list(pulls), **more},
        **_PLACE,
    }


def status(state: str, *, branch: str = BRANCH) -> Any:
    """Return a `status` event."""
    return {
        "id": 8,
        "sha": SHA,
        "state": state,
        "context": "ci/old",
        "branches": [{"name": "main"}, {"name": branch}],
        **_PLACE,
    }
