"""Stack traces in free text: found, in ten languages, and which frame of them to look at."""

from processors.snippets import find_snippets
from processors.traces.find import find_traces
from processors.traces.in_app import innermost_in_app, is_in_app

__all__ = ["find_snippets", "find_traces", "innermost_in_app", "is_in_app"]
