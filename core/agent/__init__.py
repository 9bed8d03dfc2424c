"""The loop: fold, decide (pure), act, append; and what surrounds it: commands, recovery, rewinding."""
