"""What carrying a context costs and when shortening it pays: arithmetic on tokens, seconds and prices, nothing else."""
