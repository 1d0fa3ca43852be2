"""Bun, the ORM for Go, and its driver pgdriver."""

from __future__ import annotations

from mendbook.frameworks import Framework

FRAMEWORK = Framework(
    name="bun",
    title="Bun",
    home="https://bun.uptrace.dev and driver/pgdriver/error.go of uptrace/bun",
    over=("pgx", "lib-pq"),
    only=False,
    marks=("github.com/uptrace/bun", "pgdriver.", "uptrace/bun@", "[bun]"),
    statements=(r"\[bun\] [^\n]*?ms\s+(?P<sql>(?i:select|insert|update|delete|create|alter|drop)\b[^\n]*?)\t",),
)
