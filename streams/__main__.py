"""`python -m streams` is the same as `bugstream`."""

from __future__ import annotations

from streams.cli import main

main()
