"""The files under the agent's hands. (Helpers: the architect is writing this room now, except tests/core/workspace and unified_diff; review and test it, do not rewrite it.)"""
