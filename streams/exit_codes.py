"""What the exit status of a bugstream process means to those who started it."""

from __future__ import annotations

OK = 0
FAILED = 1
"""The claim does not hold, the bug was not fixed, the process ended by an error: see its words."""
MISUSED = 2
"""What was typed or configured cannot work."""
FENCED = 79
"""Another process took over this one's place. Starting it again would only fight that one."""
UNREACHABLE = 80
"""Kafka could not be reached. Starting again later is right, and nothing is wrong with it."""
