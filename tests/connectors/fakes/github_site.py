"""A small GitHub with a memory, after GitHub's description: for our client and for others'.

As a transport of httpx2 (`transport`), or as a server with git behind it (`github_server.serve`).
Every call and every answer of success is held against the description.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

import httpx2
import jwt

from tests.connectors.fakes.github_described import URL, check, filled
from tests.connectors.fakes.github_hooks import Hooks
from tests.connectors.fakes.serving import transport_of

TOKEN, BOT = "ghp_bot", "bugstream-bot"
BODY_CHARS_MAX = 65_536
Answer = tuple[int, dict[str, str], Any]


class RefusedError(Exception):
    """Answered instead of what was asked for."""

    def __init__(self, status: int, message: str, *errors: dict[str, str]) -> None:
        super().__init__(message)
        said: dict[str, Any] = {"message": message, "documentation_url": "https://docs.example"}
        self.answer: Answer = (status, {}, {**said, **({"errors": [*errors]} if errors else {})})


@dataclass
class Repo:
    """One repository. `bare` is real git where there is one, else `branches` are made up."""

    name: str
    id: int
    issues: dict[int, dict[str, Any]] = field(default_factory=dict)
    comments: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    labels: dict[str, dict[str, Any]] = field(default_factory=dict)
    pulls: dict[int, dict[str, Any]] = field(default_factory=dict)
    reviews: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    commits: dict[int, tuple[str, ...]] = field(default_factory=dict)
    """What each merged pull request brought."""
    checks: list[dict[str, Any]] = field(default_factory=list)
    statuses: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=lambda: {"main": "a" * 40})
    bare: Path | None = None
    gone: set[int] = field(default_factory=set)

    def tip(self, branch: str) -> str | None:
        if self.bare is None:
            return self.branches.get(branch)
        command = ["git", "rev-parse", "--verify", "--quiet", f"refs/heads/{branch}"]
        done = subprocess.run(command, cwd=self.bare, capture_output=True, text=True, check=False)
        return done.stdout.strip() or None


@dataclass
class Site:
    """What there is, and the troubles it is told to make."""

    base_url: str = URL
    repos: dict[str, Repo] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=lambda: {TOKEN: BOT, "ghp_ann": "ann"})
    troubles: list[Answer] = field(default_factory=list)
    """Given instead of the next answers, in order."""
    calls: list[tuple[str, str, bytes]] = field(default_factory=list)
    page_items: int = 100
    app_id: str = "123"
    app_slug: str = "bugstream"
    app_key: str = ""
    """The app's public key in PEM; empty: there is no app."""
    installations: dict[str, int] = field(default_factory=dict)
    now: datetime = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    hooks: Hooks = field(default_factory=Hooks)
    ids: int = 1000

    # --- for tests ---

    def add_repo(self, name: str, **more: Any) -> Repo:
        self.repos[name.lower()] = Repo(name, self.next_id(), **more)
        return self.repos[name.lower()]

    def add_issue(self, name: str, title: str, body: str = "", by: str = "ann") -> int:
        said = {"title": title, "body": body}
        number: int = self._new_issue(self.repos[name.lower()], said, by)["number"]
        return number

    def say(self, name: str, number: int, body: str, by: str = "ann") -> dict[str, Any]:
        return self._new_comment(self.repos[name.lower()], number, {"body": body}, by)

    def merged(self, name: str, *commits: str, by: str = "ann") -> int:
        """Make a pull request that brought these commits."""
        said = {"title": "Change it", "head": "topic", "base": "main"}
        repo = self.repos[name.lower()]
        tips: dict[str, str | None] = {"head": commits[-1], "base": "a" * 40}
        pull = self._new_pull(_Call(repo, by, (), {}, said), "topic", "main", tips)
        pull |= {"state": "closed", "merged_at": self.tick(), "merge_commit_sha": commits[-1]}
        number: int = pull["number"]
        repo.commits[number] = commits
        return number

    def review(self, name: str, number: int, by: str | None, state: str = "APPROVED") -> None:
        """Let `by` review a pull request; None: who is not there any more."""
        repo, ident = self.repos[name.lower()], self.next_id()
        pull = repo.pulls[number]
        review = filled(
            "pull-request-review",
            id=ident,
            user=self.user(by) if by else None,
            state=state,
            commit_id=pull["head"]["sha"],
            author_association="NONE",
            html_url=f"{pull['html_url']}#pullrequestreview-{ident}",
            pull_request_url=pull["url"],
        )
        if state != "PENDING":
            review["submitted_at"] = self.tick()
        repo.reviews.setdefault(number, []).append(review)

    def next_id(self) -> int:
        self.ids += 1
        return self.ids

    def tick(self) -> str:
        """Return the time, which moves on a second with each thing that happens."""
        self.now += timedelta(seconds=1)
        return f"{self.now:%Y-%m-%dT%H:%M:%SZ}"

    def user(self, login: str, schema: str = "simple-user", **more: Any) -> dict[str, Any]:
        number = int(hashlib.sha256(login.encode()).hexdigest()[:6], 16)
        kind = "Bot" if login.endswith("[bot]") else "User"
        url = f"{self.base_url}/users/{quote(login)}"
        return filled(schema, login=login, id=number, type=kind, url=url, **more)

    # --- the call ---

    def handle(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        self.calls.append((method, target, body))
        if self.troubles:
            return self.troubles.pop(0)
        url = urlsplit(target)
        path = url.path.removeprefix(urlsplit(self.base_url).path)
        path = re.sub(r"^/repositories/(\d+)", self._by_id, path)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        try:
            said = json.loads(body) if body else {}
            if isinstance(said, list) and path.endswith("/labels"):
                # Taken as ever, and sent by PyGithub; the description has forgotten it.
                said = {"labels": said}
                body = json.dumps(said).encode()
            status, more, value = self._answer(method, path, query, headers, said)
        except RefusedError as refused:
            status, more, value = refused.answer
        except ValueError:
            status, more, value = 400, {}, {"message": "Problems parsing JSON"}
        content = b"" if value is None else json.dumps(value).encode()
        content = content.replace(URL.encode(), self.base_url.encode())
        value = json.loads(content) if content else None
        check(method, path, url.query, body, status, content)
        tag = f'W/"{hashlib.sha256(content).hexdigest()}"'
        if method == "GET" and status == 200:
            if headers.get("if-none-match") == tag:
                return 304, {"ETag": tag}, None
            more = {**more, "ETag": tag}
        return status, more, value

    def transport(self) -> httpx2.MockTransport:
        return transport_of(self.handle)

    def _answer(
        self,
        method: str,
        path: str,
        query: dict[str, str],
        headers: dict[str, str],
        said: dict[str, Any],
    ) -> Answer:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() not in {"bearer", "token"}:
            raise RefusedError(401, "Requires authentication")
        if path == "/app" or path.startswith("/app/") or path.endswith("/installation"):
            return self._as_app(method, path, query, token)
        if token not in self.tokens:
            raise RefusedError(401, "Bad credentials")
        by = self.tokens[token]
        if path == "/user":
            if by.endswith("[bot]"):
                raise RefusedError(403, "Resource not accessible by integration")
            return 200, {}, self.user(by, "private-user", user_view_type="private")
        found = re.fullmatch(r"/repos/([^/]+/[^/]+)((?:/.*)?)", path)
        repo = self.repos.get(found[1].lower()) if found else None
        if found is None or repo is None:
            raise RefusedError(404, "Not Found")
        if found[2] == "":
            return 200, {}, self.repository(repo, "full-repository")
        for pattern, step in _ROUTES:
            if (at := re.fullmatch(pattern, f"{method} {found[2]}")) is not None:
                call = _Call(repo, by, tuple(unquote(part) for part in at.groups()), query, said)
                return step(self, call)
        raise RefusedError(404, "Not Found")

    def _as_app(self, method: str, path: str, query: dict[str, str], word: str) -> Answer:
        try:
            claims = jwt.decode(word, self.app_key, algorithms=["RS256"])
        except jwt.PyJWTError as error:
            raise RefusedError(401, "A JSON web token could not be decoded") from error
        if claims["iss"] != self.app_id or claims["exp"] - claims["iat"] > 600:
            raise RefusedError(401, "'Expiration time' claim ('exp') is too far in the future")
        if path == "/app":
            return 200, {}, filled("integration", slug=self.app_slug, id=int(self.app_id))
        if path.startswith("/app/hook/deliveries"):
            return self.hooks.answer(self, None, method, path.removeprefix("/app/hook"), query)
        if (at := re.fullmatch(r"/repos/(.+/.+)/installation", path)) is not None:
            number = self.installations.get(at[1].lower())
            if number is None:
                raise RefusedError(404, "Not Found")
            return (
                200,
                {},
                filled(
                    "installation",
                    id=number,
                    app_slug=self.app_slug,
                    account=self.user(at[1].partition("/")[0]),
                ),
            )
        at = re.fullmatch(r"/app/installations/(\d+)/access_tokens", path)
        if method != "POST" or at is None or int(at[1]) not in self.installations.values():
            raise RefusedError(404, "Not Found")
        token = f"ghs_{self.next_id()}"
        self.tokens[token] = f"{self.app_slug}[bot]"
        until = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        return 201, {}, filled("installation-token", token=token, expires_at=until)

    def _by_id(self, found: re.Match[str]) -> str:
        names = [repo.name for repo in self.repos.values() if repo.id == int(found[1])]
        return f"/repos/{names[0]}" if names else found[0]

    def listed(self, call: _Call, path: str, found: Iterable[Any], under: str = "") -> Answer:
        """Answer one page of `found`, with a link to the next as GitHub writes it: by number."""
        everything = [*found]
        size = min(int(call.query.get("per_page", 30)), self.page_items)
        page = int(call.query.get("page", 1))
        part = everything[(page - 1) * size : page * size]
        headers = {}
        if page * size < len(everything):
            more = urlencode({**call.query, "page": str(page + 1)})
            where = f"{self.base_url}/repositories/{call.repo.id}{path}"
            headers["Link"] = f'<{where}?{more}>; rel="next", <{where}?{more}>; rel="last"'
        value = {"total_count": len(everything), under: part} if under else part
        return 200, headers, value

    def repository(self, repo: Repo, schema: str, **more: Any) -> dict[str, Any]:
        owner, _, name = repo.name.partition("/")
        known = {"id": repo.id, "full_name": repo.name, "name": name, "owner": self.user(owner)}
        where = f"{self.base_url}/repos/{repo.name}"
        return filled(schema, **known, url=where, default_branch="main", **more)

    # --- issues ---

    def _issue(self, call: _Call) -> dict[str, Any]:
        number = int(call.parts[0])
        if number in call.repo.gone:
            raise RefusedError(410, "This issue was deleted")
        if number not in call.repo.issues:
            raise RefusedError(404, "Not Found")
        return call.repo.issues[number]

    def _new_issue(self, repo: Repo, said: dict[str, Any], by: str) -> dict[str, Any]:
        number, time = len(repo.issues) + 1, self.tick()
        issue = filled(
            "issue",
            id=self.next_id(),
            number=number,
            title=said["title"],
            body=said.get("body"),
            user=self.user(by),
            state="open",
            author_association="NONE",
            url=f"{self.base_url}/repos/{repo.name}/issues/{number}",
            html_url=f"https://github.example/{repo.name}/issues/{number}",
            created_at=time,
            updated_at=time,
        )
        repo.issues[number], repo.comments[number] = issue, []
        if "head" not in said:
            self._tell(repo, "issues", "opened", by, issue=issue)
        return issue

    def _issues(self, call: _Call) -> Answer:
        query = call.query
        state, since = query.get("state", "open"), query.get("since", "")
        order = "updated_at" if query.get("sort") == "updated" else "created_at"
        found = [
            issue
            for issue in call.repo.issues.values()
            if state in {"all", issue["state"]} and issue["updated_at"] >= since
        ]
        found.sort(key=lambda issue: issue[order], reverse=query.get("direction") != "asc")
        return self.listed(call, "/issues", found)

    def _make_issue(self, call: _Call) -> Answer:
        return 201, {}, self._new_issue(call.repo, call.said, call.by)

    def _one_issue(self, call: _Call) -> Answer:
        return 200, {}, self._issue(call)

    def _edit_issue(self, call: _Call) -> Answer:
        issue = self._issue(call)
        issue.update({k: v for k, v in call.said.items() if k in {"title", "body", "state"}})
        issue["updated_at"] = self.tick()
        action = "closed" if call.said.get("state") == "closed" else "edited"
        self._tell(call.repo, "issues", action, call.by, issue=issue)
        return 200, {}, issue

    def _new_comment(
        self, repo: Repo, number: int, said: dict[str, Any], by: str
    ) -> dict[str, Any]:
        issue, time, ident = repo.issues[number], self.tick(), self.next_id()
        comment = filled(
            "issue-comment",
            id=ident,
            body=said["body"],
            user=self.user(by),
            author_association="NONE",
            url=f"{self.base_url}/repos/{repo.name}/issues/comments/{ident}",
            html_url=f"{issue['html_url']}#issuecomment-{ident}",
            issue_url=issue["url"],
            created_at=time,
            updated_at=time,
        )
        repo.comments[number].append(comment)
        issue["comments"], issue["updated_at"] = len(repo.comments[number]), time
        self._tell(repo, "issue_comment", "created", by, issue=issue, comment=comment)
        return comment

    def _comments(self, call: _Call) -> Answer:
        since, number = call.query.get("since", ""), self._issue(call)["number"]
        found = [one for one in call.repo.comments[number] if one["updated_at"] >= since]
        return self.listed(call, f"/issues/{number}/comments", found)

    def _all_comments(self, call: _Call) -> Answer:
        since = call.query.get("since", "")
        order = "updated_at" if call.query.get("sort") == "updated" else "created_at"
        found = [
            c for each in call.repo.comments.values() for c in each if c["updated_at"] >= since
        ]
        found.sort(key=lambda one: one[order], reverse=call.query.get("direction") == "desc")
        return self.listed(call, "/issues/comments", found)

    def _comment(self, call: _Call) -> Answer:
        issue = self._issue(call)
        if issue["locked"]:
            raise RefusedError(403, "Unable to create comment because issue is locked.")
        if len(call.said.get("body", "")) > BODY_CHARS_MAX:
            why = f"body is too long (maximum is {BODY_CHARS_MAX} characters)"
            raise RefusedError(422, "Validation Failed", {"message": why, "code": "unprocessable"})
        return 201, {}, self._new_comment(call.repo, issue["number"], call.said, call.by)

    def _edit_comment(self, call: _Call) -> Answer:
        for number, comments in call.repo.comments.items():
            for comment in comments:
                if comment["id"] == int(call.parts[0]):
                    comment |= {"body": call.said["body"], "updated_at": self.tick()}
                    more = {"issue": call.repo.issues[number], "comment": comment}
                    self._tell(call.repo, "issue_comment", "edited", call.by, **more)
                    return 200, {}, comment
        raise RefusedError(404, "Not Found")

    # --- labels ---

    def _new_label(self, repo: Repo, name: str, color: str = "ededed") -> dict[str, Any]:
        made = filled("label", id=self.next_id(), name=name, color=color, description="")
        return repo.labels.setdefault(name.casefold(), made)

    def _label(self, call: _Call) -> Answer:
        if call.parts[0].casefold() not in call.repo.labels:
            raise RefusedError(404, "Not Found")
        return 200, {}, call.repo.labels[call.parts[0].casefold()]

    def _make_label(self, call: _Call) -> Answer:
        if call.said["name"].casefold() in call.repo.labels:
            taken = {"resource": "Label", "code": "already_exists", "field": "name"}
            raise RefusedError(422, "Validation Failed", taken)
        return 201, {}, self._new_label(call.repo, call.said["name"], call.said.get("color", ""))

    def _labels_of(self, call: _Call) -> Answer:
        issue = self._issue(call)
        return self.listed(call, f"/issues/{issue['number']}/labels", issue["labels"])

    def _add_labels(self, call: _Call) -> Answer:
        issue = self._issue(call)
        for name in call.said["labels"]:
            label = self._new_label(call.repo, name)
            if label not in issue["labels"]:
                issue["labels"] = [*issue["labels"], label]
                self._tell(call.repo, "issues", "labeled", call.by, issue=issue, label=label)
        return 200, {}, issue["labels"]

    def _drop_label(self, call: _Call) -> Answer:
        issue, name = self._issue(call), call.parts[1].casefold()
        left = [label for label in issue["labels"] if label["name"].casefold() != name]
        if len(left) == len(issue["labels"]):
            raise RefusedError(404, "Label does not exist")
        issue["labels"] = left
        self._tell(call.repo, "issues", "unlabeled", call.by, issue=issue)
        return 200, {}, left

    # --- pull requests, checks ---

    def _pulls(self, call: _Call) -> Answer:
        query = call.query
        state = query.get("state", "open")
        found = [
            pull
            for pull in reversed(call.repo.pulls.values())
            if state in {"all", pull["state"]}
            and query.get("head", pull["head"]["label"]) == pull["head"]["label"]
            and query.get("base", pull["base"]["ref"]) == pull["base"]["ref"]
        ]
        return self.listed(call, "/pulls", found)

    def _one_pull(self, call: _Call) -> Answer:
        if int(call.parts[0]) not in call.repo.pulls:
            raise RefusedError(404, "Not Found")
        return 200, {}, call.repo.pulls[int(call.parts[0])]

    def _make_pull(self, call: _Call) -> Answer:
        repo, owner = call.repo, call.repo.name.partition("/")[0]
        head, base = call.said["head"].removeprefix(f"{owner}:"), call.said["base"]
        tips = {"head": repo.tip(head), "base": repo.tip(base)}
        for side, tip in tips.items():
            if tip is None:
                wrong = {"resource": "PullRequest", "field": side, "code": "invalid"}
                raise RefusedError(422, "Validation Failed", wrong)
        why = ""
        if tips["head"] == tips["base"]:
            why = f"No commits between {base} and {head}"
        for pull in repo.pulls.values():
            if (pull["state"], pull["head"]["ref"], pull["base"]["ref"]) == ("open", head, base):
                why = f"A pull request already exists for {owner}:{head}."
        if why:
            said = {"resource": "PullRequest", "code": "custom", "message": why}
            raise RefusedError(422, "Validation Failed", said)
        return 201, {}, self._new_pull(call, head, base, tips)

    def _new_pull(
        self, call: _Call, head: str, base: str, tips: dict[str, str | None]
    ) -> dict[str, Any]:
        repo, owner = call.repo, call.repo.name.partition("/")[0]
        issue = self._new_issue(repo, call.said, call.by)
        number = issue["number"]
        whole, here = filled("pull-request"), self.repository(repo, "repository")
        sides = {
            side: {
                **whole[side],
                "label": f"{owner}:{ref}",
                "ref": ref,
                "sha": tips[side],
                "repo": here,
                "user": self.user(owner),
            }
            for side, ref in (("head", head), ("base", base))
        }
        known = ("number", "title", "body", "state", "user", "created_at", "updated_at")
        pull = {
            **whole,
            **{name: issue[name] for name in known},
            **sides,
            "id": self.next_id(),
            "draft": bool(call.said.get("draft")),
            "url": f"{self.base_url}/repos/{repo.name}/pulls/{number}",
            "html_url": f"https://github.example/{repo.name}/pull/{number}",
        }
        issue["html_url"] = pull["html_url"]
        issue["pull_request"] = {
            name: pull[name] for name in ("url", "html_url", "diff_url", "patch_url")
        }
        repo.pulls[number] = pull
        self._tell(repo, "pull_request", "opened", call.by, number=number, pull_request=pull)
        return pull

    def _pulls_of(self, call: _Call) -> Answer:
        repo, sha = call.repo, call.parts[0]
        found = [
            pull
            for number, pull in repo.pulls.items()
            if sha in repo.commits.get(number, (pull["head"]["sha"],))
        ]
        if not found and sha not in repo.branches.values():
            raise RefusedError(422, f"No commit found for SHA: {sha}")
        return self.listed(call, f"/commits/{sha}/pulls", found)

    def _reviews(self, call: _Call) -> Answer:
        number = self._one_pull(call)[2]["number"]
        found = call.repo.reviews.get(number, [])
        return self.listed(call, f"/pulls/{number}/reviews", found)

    def _make_review(self, call: _Call) -> Answer:
        states = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED"}
        state = {**states, "COMMENT": "COMMENTED"}.get(call.said.get("event", ""), "PENDING")
        pull = self._one_pull(call)[2]
        if state in states.values() and pull["user"]["login"] == call.by:
            raise RefusedError(422, "Review Can not approve your own pull request")
        self.review(call.repo.name, pull["number"], call.by, state)
        return 200, {}, call.repo.reviews[pull["number"]][-1]

    def _make_check(self, call: _Call) -> Answer:
        if not call.by.endswith("[bot]"):
            raise RefusedError(403, "You must authenticate via a GitHub App.")
        number = self.next_id()
        app = filled("integration", slug=self.app_slug, id=int(self.app_id))
        url = f"{self.base_url}/repos/{call.repo.name}/check-runs/{number}"
        run = filled("check-run", id=number, url=url, app=app, check_suite={"id": number})
        output = {**run["output"], **call.said.get("output", {})}
        known = ("name", "head_sha", "status", "conclusion", "external_id", "details_url")
        run |= {**{k: call.said[k] for k in known if k in call.said}, "output": output}
        if run["conclusion"]:
            run |= {"status": "completed", "completed_at": self.tick()}
        call.repo.checks.append(run)
        action = "completed" if run["conclusion"] else "created"
        self._tell(call.repo, "check_run", action, call.by, check_run=run)
        return 201, {}, run

    def _checks(self, call: _Call) -> Answer:
        sha, name = call.parts[0], call.query.get("check_name")
        found = [c for c in call.repo.checks if c["head_sha"] == sha and name in {None, c["name"]}]
        return self.listed(call, f"/commits/{sha}/check-runs", found, "check_runs")

    def _make_status(self, call: _Call) -> Answer:
        time = self.tick()
        known = ("state", "target_url", "description", "context")
        given = {name: call.said[name] for name in known if name in call.said}
        who = self.user(call.by)
        made = filled("status", id=self.next_id(), created_at=time, updated_at=time, creator=who)
        made |= {"context": "default", "url": self.base_url, **given}
        call.repo.statuses.setdefault(call.parts[0], []).insert(0, made)
        self._tell(call.repo, "status", None, call.by, sha=call.parts[0], **given)
        return 201, {}, made

    def _statuses(self, call: _Call) -> Answer:
        sha = call.parts[0]
        return self.listed(call, f"/commits/{sha}/statuses", call.repo.statuses.get(sha, []))

    # --- files, hooks ---

    def _contents(self, call: _Call) -> Answer:
        return 200, {}, _content(self.base_url, call.repo, call.parts[0].strip("/"))

    def _hook(self, call: _Call) -> Answer:
        return self.hooks.answer(self, call.repo, "GET", call.parts[0], call.query, call.said)

    def _write_hook(self, call: _Call) -> Answer:
        return self.hooks.answer(self, call.repo, "POST", call.parts[0], call.query, call.said)

    def _tell(self, repo: Repo, event: str, action: str | None, by: str, **more: Any) -> None:
        payload = {
            **({"action": action} if action else {}),
            **more,
            "repository": self.repository(repo, "repository"),
            "sender": self.user(by),
        }
        self.hooks.tell(self, repo, event, json.loads(json.dumps(payload)))


@dataclass(frozen=True)
class _Call:
    repo: Repo
    by: str
    parts: tuple[str, ...]
    query: dict[str, str]
    said: dict[str, Any]


def _content(base_url: str, repo: Repo, path: str) -> Any:
    if path in repo.files:
        import base64

        content = base64.b64encode(repo.files[path].encode()).decode()
        known = {"name": path.rpartition("/")[2], "path": path, "size": len(repo.files[path])}
        return filled("content-file", type="file", encoding="base64", content=content, **known)
    below = [name for name in repo.files if name.startswith(f"{path}/")]
    if not below:
        raise RefusedError(404, "Not Found")
    return [{**_content(base_url, repo, name), "content": ""} for name in below]


Step = Callable[[Site, _Call], Answer]
_ROUTES: tuple[tuple[str, Step], ...] = (
    ("GET /issues", Site._issues),
    ("POST /issues", Site._make_issue),
    ("GET /issues/comments", Site._all_comments),
    (r"GET /issues/(\d+)", Site._one_issue),
    (r"PATCH /issues/(\d+)", Site._edit_issue),
    (r"PATCH /issues/comments/(\d+)", Site._edit_comment),
    (r"GET /issues/(\d+)/comments", Site._comments),
    (r"POST /issues/(\d+)/comments", Site._comment),
    (r"GET /issues/(\d+)/labels", Site._labels_of),
    (r"POST /issues/(\d+)/labels", Site._add_labels),
    (r"DELETE /issues/(\d+)/labels/([^/]+)", Site._drop_label),
    ("POST /labels", Site._make_label),
    (r"GET /labels/([^/]+)", Site._label),
    ("GET /pulls", Site._pulls),
    ("POST /pulls", Site._make_pull),
    (r"GET /pulls/(\d+)", Site._one_pull),
    (r"GET /pulls/(\d+)/reviews", Site._reviews),
    (r"POST /pulls/(\d+)/reviews", Site._make_review),
    ("GET /commits/([^/]+)/pulls", Site._pulls_of),
    ("POST /check-runs", Site._make_check),
    ("GET /commits/([^/]+)/check-runs", Site._checks),
    ("POST /statuses/([^/]+)", Site._make_status),
    ("GET /commits/([^/]+)/statuses", Site._statuses),
    ("GET /contents/(.+)", Site._contents),
    (r"GET (/hooks.*)", Site._hook),
    (r"POST (/hooks.*)", Site._write_hook),
)
