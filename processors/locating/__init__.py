"""Where the fault of a report may be: what the code holds, what the report says, ranked."""
