"""Reports by people who mean harm: through every door, every stage, and out again."""
