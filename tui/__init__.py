"""The screen and the command line: events in, intents out."""
