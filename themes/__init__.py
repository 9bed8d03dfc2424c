"""Theme files: built in, and a start for the user's own."""
