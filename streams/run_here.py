"""Run the tests of a repository that lies here, to find the place of a fault: when asked to."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from connectors.checkouts import GitCheckouts
from connectors.sandbox import find_sandbox
from processors.locating.failing import FailingTests, NotRun, Spectrum
from processors.ports import SandboxUnavailableError
from schemas.errors import UserError
from schemas.places import Location
from schemas.reports import BugReport
from streams.config import Settings
from streams.environment import git_env
from streams.one_fix import settings_for, target_of


@dataclass(frozen=True, slots=True)
class Here:
    """A repository that lies here, and how its tests are run."""

    repo: Path
    python: Path
    test_command: str
    settings: Settings

    def spectrum(
        self, commit: str, report: BugReport, locations: Sequence[Location]
    ) -> Spectrum | NotRun:
        """Return what the tests ran that show the bug, in the sandbox; or why nothing is known.

        Raises `UserError` for an option that is wrong, and for a commit that is not checked out.
        """
        target = target_of(
            self.repo,
            branch=None,
            python=self.python,
            test_command=self.test_command,
            pushes=False,
        )
        if target.commit != commit:
            raise UserError("--run: it runs what is checked out alone; leave out --commit")
        with tempfile.TemporaryDirectory(
            prefix="bugstream-locate-", ignore_cleanup_errors=True
        ) as folder:
            data = Path(folder)
            [project] = settings_for(target, self.settings, data).project
            checkouts = GitCheckouts(data / "mirrors", environment=git_env(), work_root=data)
            try:
                sandbox = find_sandbox()
            except SandboxUnavailableError as error:
                return NotRun(str(error))
            checkouts.base_commit(project)
            return FailingTests(checkouts, sandbox).of(project, commit, report, locations)
