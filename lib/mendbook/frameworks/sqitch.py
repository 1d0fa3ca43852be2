"""Sqitch, whose changes stand in a plan."""

from __future__ import annotations

from mendbook.frameworks import Framework
from mendbook.origin import Origin, Scripts

FRAMEWORK = Framework(
    name="sqitch",
    title="Sqitch",
    home="https://sqitch.org/docs/manual/ (sqitchchanges, sqitch-rework) and lib/App/Sqitch/Plan.pm",
)


def _listed(text: str) -> list[str]:
    """The scripts of a plan: a change that was reworked keeps its first form under the tag that followed it."""
    lines = [line.split("#")[0].split() for line in text.splitlines() if not line.startswith("%")]
    names = [words[0] for words in lines if words]
    changes = [(at, name) for at, name in enumerate(names) if not name.startswith("@")]
    scripts = []
    for at, name in changes:
        reworked = name in names[at + 1 :]
        tag = next((each for each in names[at:] if each.startswith("@")), "") if reworked else ""
        scripts.append(f"deploy/{name}{tag}.sql")
    return scripts


EXPECTATION = Origin(
    prefix="sqitch",
    form="DIR",
    means=Scripts(file=r"deploy/.+\.sql", index="sqitch.plan", listed=_listed),
)
