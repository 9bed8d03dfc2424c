"""The engine of Longwatch: a session is an append-only log of events, everything else is a fold over it."""
