"""From who we are at a provider, in the settings, to all that speaks with it."""

from __future__ import annotations

from streams.accounts import discord, github, jira, mail, monitoring, slack

__all__ = ["discord", "github", "jira", "mail", "monitoring", "slack"]
