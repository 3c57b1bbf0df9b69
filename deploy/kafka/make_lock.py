"""Write jars.lock: `python deploy/kafka/make_lock.py > deploy/kafka/jars.lock` for a new Kafka."""

from __future__ import annotations

import hashlib
import sys
import tempfile
from pathlib import Path

from jgo.maven import MavenContext

ROOTS = (
    "org.apache.kafka:kafka_2.13:4.3.1",
    # Kafka's logging back end is no dependency of it; slf4j-api there is still 1.7.
    "org.apache.logging.log4j:log4j-slf4j-impl:2.25.3",
    "org.apache.logging.log4j:log4j-core:2.25.3",
)


def main() -> None:
    """Resolve `ROOTS` and all they need, fetch each jar, and print a line for it."""
    with tempfile.TemporaryDirectory() as folder:
        context = MavenContext(repo_cache=Path(folder))
        # "!" keeps one root's version table from overruling what another was built with.
        roots = [context.create_dependency(f"{root}!") for root in ROOTS]
        needed, more = context.resolver.resolve(roots)
        lines = []
        for one in (*needed, *more):
            content = one.artifact.resolve().read_bytes()
            name = f"{one.groupId}:{one.artifactId}:{one.version}"
            lines.append(f"{name} {hashlib.sha256(content).hexdigest()} {len(content)}\n")
    sys.stdout.write("# What the embedded Kafka runs on: coordinate, SHA-256, bytes.\n")
    sys.stdout.write("# Made by make_lock.py from " + ", ".join(ROOTS) + "\n")
    sys.stdout.writelines(sorted(lines))


if __name__ == "__main__":
    main()
