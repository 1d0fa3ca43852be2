"""dbmate, a migration tool that is one program."""

from __future__ import annotations

from mendbook.frameworks import Framework
from mendbook.origin import Origin, Scripts, between

FRAMEWORK = Framework(
    name="dbmate",
    title="dbmate",
    home="https://github.com/amacneil/dbmate: README.md, pkg/dbmate/migration.go",
)

EXPECTATION = Origin(
    prefix="dbmate",
    form="DIR",
    means=Scripts(
        file=r"(?P<version>[0-9]+).*\.sql",
        mark=r"^--\s*migrate:up\b",
        forward=between(r"--\s*migrate:up\b", r"--\s*migrate:down\b"),
    ),
)
