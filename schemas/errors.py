"""How a failure is answered. Raise by recovery, not by origin: the runtime decides nothing else."""

from __future__ import annotations


class BugstreamError(Exception):
    """Base of every error this project raises on purpose. Its text is shown to people."""


class TransientError(BugstreamError):
    """Trying the same event again may work: a timeout, a rate limit, a lost connection."""


class RefusedError(TransientError):
    """The other side said no before doing anything, such as an overload: nothing was spent.

    Raise it only when that is certain. The ledger then gives the reservation back; after any
    other error it stays charged.
    """


class LimitedError(RefusedError):
    """The other side counts calls, and this one was too many: it says how long to wait."""

    def __init__(self, message: str, *, retry_after_s: float, reason: str = "") -> None:
        """`reason` is which limit it was, in the other side's words; empty: it did not say."""
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.reason = reason


class PoisonError(BugstreamError):
    """This record will never work. It goes to the dead letters and its partition moves on."""


class FatalError(BugstreamError):
    """The process cannot go on safely. It ends; its restart finds out what happened."""


class UnknownEventError(BugstreamError):
    """An event type or version newer than this program. Not poison: a later release reads it."""


class UserError(BugstreamError):
    """What was typed or configured cannot work. The text names the field and the way out."""
