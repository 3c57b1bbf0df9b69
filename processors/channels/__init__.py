"""One parser per channel: from the bytes a channel delivered to what they say of a bug."""

from __future__ import annotations

from collections.abc import Mapping

from processors.channels import discord, github, http, jira, monitoring, slack
from processors.channels.parsed import Parsed, Parser

__all__ = ["PARSERS", "Parsed", "Parser"]

PARSERS: Mapping[str, Parser] = {
    "github": github.parse,
    "http": http.parse,
    "jira": jira.parse,
    "slack": slack.parse,
    "discord": discord.parse,
    "monitoring": monitoring.parse,
}
