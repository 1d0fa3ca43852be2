"""What a migration makes, seen by running its folder up to it on a scratch database, and held against the target."""

from __future__ import annotations

from collections.abc import Sequence

from mendbook.errors import Refused
from mendbook.migrations import Migration
from mendbook.schema import drift, replay
from mendbook.schema.clone import Clone
from mendbook.schema.drift import Difference
from mendbook.schema.snapshot import Snapshot
from mendbook.stages import script

_ROWS = ("INSERT", "UPDATE", "DELETE")  # what the migrations before it did to rows does not matter


def require_made(migrations: Sequence[Migration], clone: Clone, live: Snapshot) -> None:
    """Raise `Refused` unless all that the last of *migrations* makes after the others is in *live*, just like that.

    They run on a server of the clone's version, with its search_path.
    """
    last = migrations[-1]
    for each in migrations:
        for _ in script.read(each.text, each.path.name, but=() if each is last else _ROWS):
            pass  # that it can be read is enough
    made = {each.key: each.desired for each in _effect(migrations, clone)}
    if not made:
        raise Refused(
            f"{last.name} makes nothing that a comparison of schemas can see, so it cannot be shown that it ran; "
            f"nothing was changed. Record it with its own tool if you know that it did."
        )
    found = drift.compare(
        Snapshot(objects={key: item for key, item in live.objects.items() if key in made}),
        Snapshot(objects={key: item for key, item in made.items() if item}),
    )
    if found:
        raise Refused(
            f"Not all that {last.name} makes is in this database, so it is not recorded as done; nothing was changed.\n"
            f"{found}\nMake the rest of it by hand, or take away what is there and run the migration with its own tool."
        )


def _effect(migrations: Sequence[Migration], clone: Clone) -> tuple[Difference, ...]:
    """What the last of *migrations* does; raises `Refused` where that cannot be seen."""
    last = migrations[-1].name
    done = replay.run(migrations, major=clone.server.major, schemas=clone.schemas)
    unknown = done.stopped or " ".join(done.left_out[last])
    if unknown:
        raise Refused(
            f"{unknown}\nSo it is unknown what {last} makes, and it is not recorded as done; nothing was changed. "
            f"Record it with its own tool if you know that all of it is there."
        )
    return done.effects[last]
