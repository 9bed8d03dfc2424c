"""How a model is reached: the wire, error classes, retry decisions, prices, profiles."""
