"""Every door there is: one line for each sender."""

from __future__ import annotations

from connectors import discord, github, slack
from connectors.channel import Door

DOORS: tuple[Door, ...] = (github.DOOR, *slack.DOORS, *discord.DOORS)
