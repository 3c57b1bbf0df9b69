"""Every door there is: one line for each sender."""

from __future__ import annotations

from connectors import github
from connectors.channel import Door

DOORS: tuple[Door, ...] = (github.DOOR,)
