"""What the events mean: pure reducers, one for each pane and each decision. Start at `view`."""
