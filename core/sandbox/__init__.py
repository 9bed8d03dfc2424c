"""What keeps a command inside: where it may write, what it does not see, whether it reaches the network."""
