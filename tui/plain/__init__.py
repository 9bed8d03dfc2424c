"""The plain mode: the whole program in lines and typed commands, for screen readers, dumb terminals and pipes."""
