"""The files under the agent's hands: snapshots, what differs between two of them, and restoring one."""
