"""GitHub: our account, or our app."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.accounts.sources import named

if TYPE_CHECKING:
    from connectors.github_client import GitHubClient
    from connectors.poller import Poller
    from processors.ports import Forge, Messenger, Ownership, Tracker
    from schemas.projects import Project
    from schemas.raw import Origin
    from streams.config import Settings


def client_of(settings: Settings, *, answer_s_max: float | None = None) -> GitHubClient | None:
    """Return what asks GitHub, for whatever we do there; it takes no connection yet."""
    account = settings.github
    if account is None:
        return None
    from connectors.github_client import GitHubClient
    from connectors.github_http import GitHubHttp
    from connectors.github_sign_in import App, SignIn, Token
    from connectors.http_caller import ANSWER_S_MAX

    http = GitHubHttp(account.url, answer_s_max=answer_s_max or ANSWER_S_MAX)
    sign_in: SignIn
    if account.token is not None:
        sign_in = Token(account.token.get_secret_value())
    elif account.app_id and account.private_key:
        sign_in = App(
            http,
            app_id=account.app_id,
            private_key=account.private_key.get_secret_value(),
            installation_id=account.installation_id,
        )
    else:
        return None  # The settings hold one of the two.
    return GitHubClient(http, sign_in)


def repositories(settings: Settings) -> list[str]:
    """Return `owner/name` of each repository that can be asked, once; a prefix names none."""
    more = settings.github.repositories if settings.github else ()
    return list({name.casefold(): name for name in (*more, *named(settings, "github"))}.values())


def messenger(settings: Settings) -> Messenger | None:
    """Return what comments on GitHub's issues and pull requests."""
    client = client_of(settings)
    if client is None:
        return None
    from connectors.github_messenger import GitHubMessenger
    from processors.quoting import quiet

    return GitHubMessenger(client, quiet)


def answers(origin: Origin) -> bool:
    """Return whether a comment can stand there: what has no number can only be looked at."""
    return origin.item.isascii() and origin.item.isdecimal() and "/" in origin.container


def labels(settings: Settings) -> Tracker | None:
    """Return what shows by a label how a bug stands, where the settings want labels."""
    account = settings.github
    client = client_of(settings)
    if account is None or client is None or not account.labels:
        return None
    from connectors.github_messenger import GitHubTracker

    return GitHubTracker(client, account.labels, prefix=account.label_prefix)


def forge(settings: Settings, git: Forge) -> Forge:
    """Return what offers at GitHub what `git` has pushed; without an account `git` itself."""
    account = settings.github
    client = client_of(settings)
    if account is None or client is None:
        return git
    from connectors.github_forge import GitHubForge, repository_of

    def repository(project: Project) -> str | None:
        return repository_of(project, account.url)

    return GitHubForge(git, client, repository, pull_requests=account.pull_requests)


def ownership(settings: Settings, git: Ownership) -> Ownership:
    """Return what also asks GitHub who reviewed; without an account `git` itself."""
    account = settings.github
    if account is None:
        return git
    from connectors import github_reviewers
    from connectors.github_forge import repository_of
    from connectors.governor import Governor

    def repository(project: Project) -> str | None:
        return repository_of(project, account.url)

    client = client_of(settings, answer_s_max=github_reviewers.ANSWER_S_MAX)
    if client is None:
        return git
    governor = Governor("GitHub", account.messages_per_minute_max)
    reviewers = github_reviewers.GitHubReviewers(client, governor)
    return github_reviewers.ReviewedOwnership(git, reviewers, repository)


def pollers(settings: Settings) -> list[Poller]:
    """Return what asks GitHub, for each repository that the settings name."""
    account = settings.github
    client = client_of(settings)
    if account is None or client is None or not account.backfill:
        return []
    from connectors.github_poller import GitHubPoller
    from connectors.github_redeliveries import GitHubRedeliveries

    names = repositories(settings)
    asked: list[Poller] = [
        GitHubPoller(
            client, name, every_s=account.poll_every_s, backfill_days=account.backfill_days
        )
        for name in names
    ]
    if account.webhook_url is not None:
        whose = (*names, None) if client.is_app else names
        asked += [GitHubRedeliveries(client, one, url=account.webhook_url) for one in whose]
    return asked
