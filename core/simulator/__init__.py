"""A model server on loopback that speaks the Anthropic Messages wire and bills like the vendors do."""

from core.simulator.bundled import copy_sample
from core.simulator.cache import CacheRules
from core.simulator.faults import Fault, FaultKind, Faults, parse_fault
from core.simulator.invoice import Invoice, PriceList
from core.simulator.policies import Policy, Reply, load_policy
from core.simulator.server import SimulatedServer

__all__ = [
    "CacheRules",
    "Fault",
    "FaultKind",
    "Faults",
    "Invoice",
    "Policy",
    "PriceList",
    "Reply",
    "SimulatedServer",
    "copy_sample",
    "load_policy",
    "parse_fault",
]
