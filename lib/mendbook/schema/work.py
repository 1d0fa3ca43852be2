"""Work: what a repair does to one object, made of Steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mendbook.schema.key import Key
from mendbook.schema.step import Step, Transaction

# A drop may be of a part alone: a column's default, a domain's checks, a partition's place. Preparing is what can be
# made long before the rest; settling is the part of a change that disturbs nobody.
Verb = Literal["prepare", "drop", "change", "settle", "create"]

SLOW = ("constraint", "index", "statistics")  # making one may take long: not while views are away


@dataclass(frozen=True, kw_only=True, eq=False)
class Work:
    """What is done to one object, or to some that can only be changed together."""

    verb: Verb
    key: Key
    steps: list[Step]
    together: tuple[Key, ...] = ()  # the others
    lets_go: bool = False  # a drop of a part alone
    disturbs: bool = False  # a change for which what uses the object has to go and come back

    @property
    def is_slow(self) -> bool:
        """Whether it may take long, and so has steps outside of the transactions of others."""
        return any(step.transaction is not Transaction.SHARED for step in self.steps)
