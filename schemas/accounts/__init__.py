"""What settings say about our accounts at the providers: one module for each channel."""
