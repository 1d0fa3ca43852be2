"""What is rendered from the code: parts of README.md, and the JSON Schema of runbooks. ``make docs`` writes it."""

from __future__ import annotations

import json
import re
from pathlib import Path

from mendbook import cli, render, runbook

ROOT = Path(__file__).resolve().parents[1]


def runbooks(*, generic: bool) -> str:
    """The table of Mendbook's own runbooks: those of one incident each, or those of a kind of incident."""
    own = sorted(path.parent for path in runbook.shared("runbooks").glob("*/runbook.yaml"))
    rows = []
    for folder in own:
        text = runbook.load(folder).text
        if text.generic != generic:
            continue
        link = f"[{folder.name}](runbooks/{folder.name}/)"
        rows.append(f"| {link} | {render.markdown(text.title)} | {text.severity} | {text.risk} |")
    return "\n".join(["| runbook | incident | severity | risk of the fix |", "| --- | --- | --- | --- |", *rows])


def exit_codes() -> str:
    """The table of exit codes."""
    rows = [f"| {code} | {meaning} |" for code, meaning in cli.EXIT_CODES]
    return "\n".join(["| exit code | means |", "| --- | --- |", *rows])


def readme() -> str:
    """README.md with its rendered parts as they should be."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    parts = {
        "runbooks": runbooks(generic=False),
        "generic runbooks": runbooks(generic=True),
        "exit codes": exit_codes(),
    }
    for name, content in parts.items():
        pattern = rf"(<!-- {name}: [^>]*-->\n).*?(<!-- /{name} -->)"
        text, count = re.subn(pattern, lambda found, new=content: f"{found[1]}{new}\n{found[2]}", text, flags=re.DOTALL)
        assert count == 1, name
    return text


def schema() -> str:
    """The JSON Schema of runbook.yaml."""
    return json.dumps(runbook.schema(), indent=2) + "\n"


FILES = {"README.md": readme, "runbooks/runbook.schema.json": schema}

if __name__ == "__main__":
    for name, content in FILES.items():
        (ROOT / name).write_text(content(), encoding="utf-8")
