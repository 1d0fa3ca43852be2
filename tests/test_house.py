"""The house: flow goes one way, files stay small, nothing is hidden from git, versions agree."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "lib" / "mendbook"
MODULES = sorted(PACKAGE.rglob("*.py"))

# From the ground up: a module imports from its own line or from lines above it, never from one below.
GROUND = (
    "errors",
    "lexer",
    "redaction",
    "render",
    "servers",
    "embedded",
    "target",
    "described",
    "migrations",
    "ledger",
    "formats",
    "origin",
    "yaml_file",
    "runbook_text",
    "runbook_values",
    "runbook",
    "authoring",
    "request",
    "verdict",
    "report",
)
ABOVE = (
    "frameworks",
    "schema",
    "symptom",
    "stages",
    "around",
    "show",
    "run",
    "recording",
    "incident",
    "trial",
    "drafting",
    "deploy",
    "checks",
    "preflight",
    "cli_run",
    "cli_runbooks",
    "cli_diff",
    "cli_triage",
    "cli_preflight",
    "cli",
)
WINGS = (GROUND, *((wing,) for wing in ABOVE))
# Stages in the order of the flow; each may use the nouns of those before it.
STAGES = (
    *("expected", "edits", "history", "script", "stated", "reproduce", "sessions", "replay", "plan", "repeatable"),
    "lasting",
    *("rehearse", "journal", "resume", "turn", "permits", "timeline", "beside", "blockers", "canary", "execution"),
    *("application", "calm", "apply", "verify", "document"),
)


def imports(path: Path) -> set[str]:
    """The mendbook modules that a file imports, dotted, also inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "mendbook":
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.startswith("mendbook.")}
    return found


def wing(name: str) -> int:
    return next((at for at, names in enumerate(WINGS) if name in names), -1)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_arrow_runs_back(path: Path) -> None:
    own = path.relative_to(PACKAGE).with_suffix("").parts[0]
    if own == "__init__":
        return
    assert wing(own) >= 0, f"{own} has no place in the house"
    for name in imports(path):
        other = name.split(".")[1]
        if other.startswith("__"):
            continue
        assert wing(other) >= 0, f"{name} has no place in the house"
        assert wing(other) <= wing(own), f"{path.name} imports {name}"


def test_a_stage_knows_only_the_stages_before_it() -> None:
    for at, stage in enumerate(STAGES):
        for name in imports(PACKAGE / "stages" / f"{stage}.py"):
            if name.startswith("mendbook.stages."):
                assert STAGES.index(name.split(".")[2]) < at, f"{stage} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_is_one_idea(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400


def test_only_target_opens_connections() -> None:
    callers = {
        path.relative_to(PACKAGE).as_posix()
        for path in MODULES
        if re.search(r"psycopg\.(Async)?(connect\(|Connection\.connect\()", path.read_text())
    }
    assert callers <= {"target.py", "embedded.py"}


def test_only_one_place_knows_papermill() -> None:
    pattern = re.compile(r"^\s*(from|import) papermill", re.MULTILINE)
    callers = {path.relative_to(PACKAGE).as_posix() for path in MODULES if pattern.search(path.read_text())}
    assert callers == {"run/notebooks.py", "run/engine.py"}


def test_git_sees_the_source() -> None:
    done = subprocess.run(["git", "check-ignore", "lib/mendbook/cli.py"], cwd=ROOT, capture_output=True, check=False)
    if done.returncode == 128:
        pytest.skip("this tree is no git checkout; clone the repository to run this")
    assert done.returncode == 1


def test_conda_and_pip_offer_the_same_versions() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    pip = next(each["pip"] for each in environment if isinstance(each, dict))
    conda = {each for each in environment if isinstance(each, str)} - {"pip"}
    wanted = set(project["dependencies"]) | {f"python{project['requires-python']}"}
    plain = {each.replace("[binary]", "") for each in wanted}
    nbval = {each for each in project["optional-dependencies"]["dev"] if each.startswith("nbval")}
    assert {each.replace("[binary]", "") for each in conda | set(pip)} == plain | nbval
    assert all(re.fullmatch(r"[a-z0-9-]+(>=[0-9.]+)?", each) for each in conda)


def test_every_dependency_is_pinned_with_a_hash() -> None:
    text = (ROOT / "constraints.txt").read_text()
    names = re.findall(r"^([a-z0-9._-]+)==", text, re.M)
    blocks = re.split(r"^(?=[a-z0-9._-]+==)", text, flags=re.M)[1:]
    assert len(names) > 50
    assert all("--hash=sha256:" in block for block in blocks)
    assert not re.search(r"https?://|index-url|find-links", text)
