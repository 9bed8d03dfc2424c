"""Constraints that the user declares in words; those that can be are checked exactly: `reading`, `checking`."""
