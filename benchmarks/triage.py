"""Score triage on a file of labelled error texts, and time it on a megabyte of log.

    python benchmarks/triage.py FILE.jsonl [--wrong FIELD]

Each line of the file is an object with ``text``, ``expect`` (what is right, by field; null is not scored), ``lenient``
(by field, further answers that are right; ``"*"`` means any) and ``id``. Prints right answers by field, objects stated
as fact that the text does not let one know, and texts of others claimed as PostgreSQL's. ``--wrong`` lists the
failures of one field.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mendbook.symptom import triage

FIELDS = ("is_postgres", "kind", "sqlstate", "schema", "table", "column", "framework", "statement", "location")
OBJECTS = ("schema", "table", "column")
MEGABYTE = 1_000_000


def main() -> None:
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("file", type=Path)
    arguments.add_argument("--wrong", choices=(*FIELDS, "fact", "negative"), help="list the failures of this field")
    given = arguments.parse_args()
    entries = [json.loads(line) for line in given.file.read_text("utf-8").splitlines()]
    right, scored, claims, negatives = Counter[str](), Counter[str](), Counter[str](), 0
    started = time.perf_counter()
    for entry in entries:
        answer: dict[str, Any] = triage.diagnose(entry["text"]).to_json()
        for field, verdict in judge(entry, answer):
            scored[field] += verdict is not None
            right[field] += verdict is True
            if verdict is False and field == given.wrong:
                print(f"{entry['id']}: {field} {answer[field]!r}, expected {entry['expect'][field]!r}")
        for field in wrong_facts(entry, answer):
            claims[field] += 1
            if given.wrong == "fact":
                print(f"{entry['id']}: {field} {answer[field]!r}, {answer['certainty'][field]}")
        claimed = not entry["expect"]["is_postgres"] and answer["is_postgres"]
        negatives += claimed
        if claimed and given.wrong == "negative":
            print(f"{entry['id']}: claimed as {answer['kind']}")
    elapsed = time.perf_counter() - started
    print(f"{'field':<12} {'right':>7} {'of':>6} {'share':>8}")
    for field in FIELDS:
        share = right[field] / scored[field] if scored[field] else 1.0
        print(f"{field:<12} {right[field]:>7} {scored[field]:>6} {share:>8.2%}")
    print(f"wrong objects stated as fact: {claims.total()} {dict(claims) or ''}")
    print(f"negatives claimed as PostgreSQL's: {negatives}")
    print(f"{len(entries)} texts in {elapsed:.2f} s, {1000 * elapsed / max(1, len(entries)):.2f} ms each")
    print(f"1 MB of log: {log_time(entries):.2f} s")


def judge(entry: Mapping[str, Any], answer: Mapping[str, Any]) -> Iterator[tuple[str, bool | None]]:
    """Each field with whether it is right; None where it is not scored."""
    for field in FIELDS:
        expected, lenient = entry["expect"][field], entry["lenient"].get(field, [])
        if expected is None or "*" in lenient:
            yield field, None
        else:
            yield field, any(same(field, answer[field], one) for one in (expected, *lenient))


def wrong_facts(entry: Mapping[str, Any], answer: Mapping[str, Any]) -> Iterator[str]:
    """The objects that are said as facts and are neither expected nor right."""
    for field in OBJECTS:
        said, certainty = answer[field], answer["certainty"].get(field)
        right = (entry["expect"][field], *entry["lenient"].get(field, []))
        if said is not None and certainty != "guessed" and "*" not in right and said not in right:
            yield field


def same(field: str, answer: object, expected: object) -> bool:
    if field == "statement" and isinstance(answer, str) and isinstance(expected, str):
        return " ".join(answer.split()).rstrip("; ") == " ".join(expected.split()).rstrip("; ")
    return answer == expected


def log_time(entries: list[Mapping[str, Any]]) -> float:
    """Seconds for a megabyte of log: requests that went well, with an error among them now and then."""
    calm = "\n".join(
        f"2026-11-20T11:30:{number % 60:02}.{number % 1000:03}Z info request id={number} GET /orders/{number} 200"
        for number in range(400)
    )
    parts: list[str] = []
    size = 0
    for entry in entries * (1 + MEGABYTE // len(calm)):
        parts += [calm, entry["text"]]
        size += len(calm) + len(entry["text"])
        if size > MEGABYTE:
            break
    log = "\n".join(parts)[:MEGABYTE]
    started = time.perf_counter()
    triage.diagnose(log)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
