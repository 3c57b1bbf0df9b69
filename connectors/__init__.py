"""The outside world: one outside system per module, each behind a port."""
