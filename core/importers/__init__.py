"""Films of other tools: their transcripts read as neutral records, and the records written as a session of ours.

A *reader* knows one format and yields `records` lazily; `scribe` turns records into a journal; `recognise` finds the
reader by what a file holds, never by its name; `importing` is the front door.
"""
