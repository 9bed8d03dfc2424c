"""Sessions on other machines, by the system's ssh: only events, commands and live text travel."""
