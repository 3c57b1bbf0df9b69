"""What is known: read models folded from events, which can be dropped and rebuilt at any time."""
