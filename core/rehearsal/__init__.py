"""The reference rehearsal: a code base that is made, an audit of 35 hours of virtual time, and what came of it.

It proves the house, not the intelligence of a model: the auditor is rules (`core.simulator.policies.surveyor`), which
know nothing of this room.
"""
