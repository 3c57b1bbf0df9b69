"""The offline fix engine: ranks lines by the failing test, and tries edits until it passes."""
