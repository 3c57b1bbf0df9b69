"""One parser per channel: from the bytes a channel delivered to what they say of a bug."""
