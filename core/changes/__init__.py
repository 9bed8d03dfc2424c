"""What became of the files: the net difference between two moments, and behind each line the call that wrote it."""
