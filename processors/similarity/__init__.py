"""How alike reports are, which are the same, and why. Pure: vectors come in, verdicts go out."""
