"""From an account in the settings to what answers there and what asks there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connectors.discord_client import DiscordMessenger
    from connectors.github_client import GitHubClient
    from connectors.jira_client import JiraClient
    from connectors.mail_threads import MailThreads
    from connectors.oauth_token import OAuthToken
    from connectors.poller import Poller
    from processors.ports import Forge, Messenger, Tracker
    from schemas.accounts.mailbox import Mailbox
    from schemas.projects import Project
    from schemas.raw import Origin
    from streams.config import Settings


def github_client(settings: Settings) -> GitHubClient | None:
    """Return what asks GitHub, for messages and for pollers; it takes no connection yet."""
    account = settings.github
    if account is None:
        return None
    from connectors.github_client import GitHubClient
    from connectors.github_http import GitHubHttp
    from connectors.github_sign_in import App, SignIn, Token

    http = GitHubHttp(account.url)
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


def github_pollers(settings: Settings) -> list[Poller]:
    """Return what asks GitHub, for each repository that the settings name."""
    account = settings.github
    client = github_client(settings)
    if account is None or client is None or not account.backfill:
        return []
    from connectors.github_poller import GitHubPoller
    from connectors.github_redeliveries import GitHubRedeliveries

    names = github_repositories(settings)
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


def github_repositories(settings: Settings) -> list[str]:
    """Return `owner/name` of each repository that can be asked, once; a prefix names none."""
    sources = [source for project in settings.project for source in project.sources]
    named = [
        source.partition(":")[2]
        for source in sources
        if source.casefold().startswith("github:") and not source.endswith("*")
    ]
    more = settings.github.repositories if settings.github else ()
    return list({name.casefold(): name for name in (*more, *named)}.values())


def github(settings: Settings) -> Messenger | None:
    """Return what comments on GitHub's issues and pull requests."""
    client = github_client(settings)
    if client is None:
        return None
    from connectors.github_messenger import GitHubMessenger
    from processors.quoting import quiet

    return GitHubMessenger(client, quiet)


def github_answers(origin: Origin) -> bool:
    """Return whether a comment can stand there: what has no number can only be looked at."""
    return origin.item.isascii() and origin.item.isdecimal() and "/" in origin.container


def github_labels(settings: Settings) -> Tracker | None:
    """Return what shows by a label how a bug stands, where the settings want labels."""
    account = settings.github
    client = github_client(settings)
    if account is None or client is None or not account.labels:
        return None
    from connectors.github_messenger import GitHubTracker

    return GitHubTracker(client, account.labels, prefix=account.label_prefix)


def github_forge(settings: Settings, git: Forge) -> Forge:
    """Return what offers at GitHub what `git` has pushed; without an account `git` itself."""
    account = settings.github
    client = github_client(settings)
    if account is None or client is None:
        return git
    from connectors.github_forge import GitHubForge, repository_of

    def repository(project: Project) -> str | None:
        return repository_of(project, account.url)

    return GitHubForge(git, client, repository, pull_requests=account.pull_requests)


def jira_client(settings: Settings) -> JiraClient | None:
    """Return what asks Jira, for messages and for pollers; it takes no connection yet."""
    account = settings.jira
    if account is None:
        return None
    from connectors.jira_client import JiraClient

    return JiraClient(account.url, token=account.token.get_secret_value(), email=account.email)


def jira(settings: Settings) -> Messenger | None:
    """Return what comments on Jira's issues."""
    client = jira_client(settings)
    if client is None:
        return None
    from connectors.jira_messenger import JiraMessenger
    from processors.markup import markdown_to_adf

    return JiraMessenger(client, markdown_to_adf)


def jira_status(settings: Settings) -> Tracker | None:
    """Return what moves Jira's issues to another status, where the settings want that."""
    account, client = settings.jira, jira_client(settings)
    if account is None or client is None or not account.transitions:
        return None
    from connectors.jira_messenger import JiraTracker

    return JiraTracker(client, {str(name): to for name, to in account.transitions.items()})


def slack(settings: Settings) -> Messenger | None:
    """Return what answers in threads of Slack."""
    account = settings.slack
    if account is None:
        return None
    from connectors.slack_client import SlackMessenger
    from processors.chat_text import to_slack

    return SlackMessenger(account.token.get_secret_value(), to_slack, base_url=account.url)


def discord(settings: Settings) -> DiscordMessenger | None:
    """Return what replies in Discord."""
    account = settings.discord
    if account is None:
        return None
    from connectors.discord_client import CONTENT_CHARS_MAX, MARKER_CHARS_MAX, DiscordMessenger
    from processors.chat_text import to_discord

    def render(text: str) -> list[str]:
        return list(to_discord(text, chars_max=CONTENT_CHARS_MAX - MARKER_CHARS_MAX))

    return DiscordMessenger(account.token.get_secret_value(), render, base_url=account.url)


def alertmanager(settings: Settings) -> Messenger | None:
    """Return what answers an alert by another one, where the settings want that."""
    from streams.reconcilers import alertmanager_api

    account, api = settings.alertmanager, alertmanager_api(settings)
    if account is None or api is None or not account.answers:
        return None
    from connectors.monitoring.alertmanager_messenger import AlertmanagerMessenger

    return AlertmanagerMessenger(api)


def alertmanager_answers(origin: Origin) -> bool:
    """Return whether the tool that the alert came from takes answers: Alertmanager alone does."""
    from connectors.monitoring.alertmanager_messenger import answers

    return answers(origin)


def mail(settings: Settings) -> Messenger | None:
    """Return what answers mails by their mailbox's own server."""
    from connectors.mail_messenger import MailMessenger
    from processors.mail.to_html import to_html, to_plain

    answering = [box for box in settings.mailbox if box.answers and box.smtp_host_used]
    if not answering:
        return None
    boxes = {box.container: (box, oauth_of(box)) for box in answering}
    return MailMessenger(boxes, _mail_threads(settings), to_plain=to_plain, to_html=to_html)


def mail_pollers(settings: Settings) -> list[Poller]:
    """Return what reads each mailbox; no connection is made yet."""
    from connectors.imap_poller import ImapPoller
    from processors.mail import letter
    from processors.mail.automatic import Own
    from processors.mail.trust import Border

    own = Own(accounts=tuple(box.container for box in settings.mailbox))

    def poller(box: Mailbox) -> Poller:
        border = None
        if box.authserv_id:
            border = Border(box.authserv_id, box.trusted_hosts, stamps_below=box.stamps_below)

        def read(raw: bytes) -> letter.Letter:
            return letter.read(raw, own=own, border=border)

        return ImapPoller(box, _mail_threads(settings), read, token=oauth_of(box))

    return [poller(box) for box in settings.mailbox if box.imap_host and box.backfill]


def oauth_of(box: Mailbox) -> OAuthToken | None:
    """Return what has fresh tokens for `box`; None: it signs in with a password."""
    from connectors.oauth_token import OAuthToken

    return OAuthToken(box.oauth) if box.oauth is not None else None


def _mail_threads(settings: Settings) -> MailThreads:
    from connectors.database import open_engine
    from connectors.mail_threads import MailThreads

    return MailThreads(lambda: open_engine(settings.store_url("inbox")))
