"""Every door there is: one line for each sender."""

from __future__ import annotations

from connectors import discord, github, jira, monitoring, slack
from connectors.channel import Door

DOORS: tuple[Door, ...] = (
    github.DOOR,
    *jira.DOORS,
    *slack.DOORS,
    *discord.DOORS,
    *monitoring.DOORS,
)
