"""Bind the stage that locates to all that it asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.place_owners import GitOwnership
from processors import locate
from processors.locating.failing import FailingTests
from streams.accounts import github
from streams.line_history import GitLineHistory

if TYPE_CHECKING:
    from processors.attached import Attach
    from processors.base import Task
    from streams.wiring import Parts


def stage(parts: Parts, attach: Attach) -> Task:
    """Return the stage: all is asked, read and run as the settings allow."""
    checkouts = parts.checkouts
    return locate.make(
        checkouts,
        parts.symbols,
        github.ownership(parts.settings, GitOwnership(checkouts)),
        parts.blobs,
        parts.settings.project_of,
        attach,
        lines=GitLineHistory(checkouts),
        spectra=FailingTests(checkouts, parts.sandbox),
    )
