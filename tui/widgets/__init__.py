"""Widgets that know nothing of sessions: what they show comes through small protocols and plain values."""
