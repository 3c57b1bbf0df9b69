"""Every metric, once, in Prometheus terms. Label values are stages, kinds and outcomes only."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

# Records a stage took; outcome: ok, skipped, retried, dead_letter.
HANDLED = Counter("bugstream_handled", "Records handled by a stage.", ["stage", "outcome"])
# Time without the commit. A short stage takes microseconds a record: its batch is what tells.
HANDLE_SECONDS = Histogram(
    "bugstream_handle_seconds",
    "Seconds to handle one task of a long stage, or one batch of a short one.",
    ["stage"],
)
# Time of one Kafka transaction, from begin to commit.
COMMIT_SECONDS = Histogram(
    "bugstream_commit_seconds", "Seconds to commit a transaction.", ["stage"]
)
# Long tasks running now.
IN_FLIGHT = Gauge(
    "bugstream_in_flight", "Long tasks running.", ["stage"], multiprocess_mode="livesum"
)
# Effects on the world; reused: found done before.
EFFECTS = Counter("bugstream_effects", "Effects performed.", ["kind", "reused"])
# Deliveries the gateway answered.
RECEIVED = Counter("bugstream_received", "Deliveries received.", ["route", "status"])
# Inbox rows that wait for Kafka.
INBOX_WAITING = Gauge(
    "bugstream_inbox_waiting", "Inbox rows not yet relayed.", multiprocess_mode="livemax"
)
# Records between a stage's position and the end of its topics.
LAG_RECORDS = Gauge(
    "bugstream_lag_records",
    "Records a stage has not handled.",
    ["stage"],
    multiprocess_mode="livemax",
)
# Age of the oldest of them: alert on this, not on the count.
LAG_AGE_SECONDS = Gauge(
    "bugstream_lag_age_seconds",
    "Age of the oldest record a stage has not handled.",
    ["stage"],
    multiprocess_mode="livemax",
)
