"""GORM, the ORM for Go."""

from __future__ import annotations

from mendbook.frameworks import Framework

FRAMEWORK = Framework(
    name="gorm",
    title="GORM",
    home="https://gorm.io/docs/ and logger/logger.go of go-gorm/gorm",
    over=("pgx", "lib-pq"),
    only=False,
    marks=("gorm.io/", "go-gorm", "/gorm@"),
    shapes=(r"\[\d+\.\d+ms\] (?:\x1b\[[\d;]*m)?\[rows:[-\d]+\]",),
    statements=(r"\[rows:[-\d]+\]\s*(?P<sql>[^\n]+)",),
    qualifies_by="table",
)
