"""Calling a user who is away: when, and by a program or a webhook of theirs. Terminals are `tui.needs_you`'s."""
