"""Which calls may run, are asked about, or refused: pure decisions over parsed calls. Start at `policy`."""
