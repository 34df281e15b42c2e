"""What a person touches: HTTP and the command line. Nothing imports this package."""
