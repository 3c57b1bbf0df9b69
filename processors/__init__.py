"""What is decided: pure functions from events to events; the world only as Protocols (ports)."""
