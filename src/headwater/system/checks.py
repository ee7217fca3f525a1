"""What is wrong with the system as a whole: checks over the map, told as findings of the rules that ask for them by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from headwater.system.build import Builder
from headwater.system.deputies import for_anybody, passed_on, with_admin_keys
from headwater.system.descriptions import as_system, of_others, orders
from headwater.system.handover import circles, read_for_another
from headwater.system.permission import unasked, undeclared
from headwater.system.questions import by_default, hidden
from headwater.system.reported import Report
from headwater.system.switches import switched_off
from headwater.system.trifecta import trifectas
from headwater.taint.solve import Told

CHECKS: Final[dict[str, Callable[[Builder], Iterator[Report]]]] = {
    "lethal-trifecta": trifectas,
    "undeclared-effect": undeclared,
    "effect-without-approval": unasked,
    "delegation-circle": circles,
    "read-for-another": read_for_another,
    "token-passed-on": passed_on,
    "object-of-anybody": for_anybody,
    "admin-key-for-many": with_admin_keys,
    "description-orders": orders,
    "description-of-others": of_others,
    "result-as-system": as_system,
    "approval-by-default": by_default,
    "approval-unseen": hidden,
    "approval-switched-off": switched_off,
}
"""By the name of the shape."""


def check(builder: Builder) -> None:
    """Report what the checks find that rules ask for."""
    for shape, look in CHECKS.items():
        rule = builder.solver.shapes.get(shape)
        if rule is None:
            continue
        for one in look(builder):
            said = rule if not one.confidence else msgspec.structs.replace(rule, confidence=one.confidence)
            builder.solver.report_call(one.fn, said, shape, one.start, one.end, told=Told(one.why, one.steps, one.last, one.more))
