"""What the model sees: a branch projected into one request. Pure: no clock, no randomness, no I/O."""
