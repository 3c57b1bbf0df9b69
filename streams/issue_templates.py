"""The issue templates of the projects' repositories, for whoever reads a report made with one.

Read from the mirror that the fix stages keep: nothing is fetched for them, and where there is no
mirror yet, or no git, a report is read by its headings.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from processors.projects import project_of
from schemas.errors import BugstreamError
from schemas.projects import Project
from schemas.raw import Origin

AGE_S_MAX = 300.0
"""How long what was read of a repository is believed, and that there was nothing to read."""
PLACES = (
    ".github",
    "docs/ISSUE_TEMPLATE",
    "docs/ISSUE_TEMPLATE.md",
    "docs/issue_template.md",
    "ISSUE_TEMPLATE",
    "ISSUE_TEMPLATE.md",
    "issue_template.md",
)
"""Where GitHub looks for them."""
_NAMED = "issue_template"

ReadFiles = Callable[[Project, Sequence[str]], Mapping[str, bytes]]


class IssueTemplates:
    """Origin -> path -> content of the templates of its repository; None where there are none."""

    def __init__(
        self,
        projects: Sequence[Project],
        read: ReadFiles,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Look into the repositories of `projects` by `read`, which asks no remote."""
        self._projects = projects
        self._read = read
        self._clock = clock
        self._known: dict[str, tuple[float, Mapping[str, str]]] = {}

    def __call__(self, origin: Origin) -> Mapping[str, str] | None:
        """Return the templates for a report of `origin`. Never raises."""
        if origin.channel != "github":
            return None
        name = project_of(self._projects, origin).project
        project = next((p for p in self._projects if p.id == name), None)
        if project is None or not project.git_url:
            return None
        now_s = self._clock()
        read_s, files = self._known.get(name, (None, {}))
        if read_s is None or now_s - read_s > AGE_S_MAX:
            files = self._templates(project)
            self._known[name] = (now_s, files)
        return files or None

    def _templates(self, project: Project) -> Mapping[str, str]:
        try:
            found = self._read(project, PLACES)
        except (BugstreamError, OSError):
            return {}  # A report is worth reading without them.
        return {
            path: content.decode(errors="replace")
            for path, content in found.items()
            if _NAMED in path.casefold()
        }
