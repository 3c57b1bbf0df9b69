"""`bugstream graph`: the pipeline as it is wired."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("graph")(graph)


def graph() -> None:
    """Print the stages and topics as a Mermaid graph.

    Example: bugstream graph > pipeline.mmd
    """
    from streams.graph import mermaid

    typer.echo(mermaid(), nl=False)
