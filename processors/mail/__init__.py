"""Mail, read: what it says, who sent it, whether a machine did. No mailbox, no network."""
