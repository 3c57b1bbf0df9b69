"""What a report's text holds: its parts, its form, and what it hides. Pure, bounded, no guesses."""
