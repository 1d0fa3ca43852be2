"""A report as JUnit XML, as Markdown, and as the record that it is read from again."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import pytest
from mendbook import report
from mendbook.report import Check, Finding, Report

HOSTILE = ["]]><x>&amp;", "<script>alert(1)</script>", "a\"b'c", "a\x01\x1b\ud800b", "a\nb\t|c`*_", "\uffff", "Łódź"]


def check(name: str, *findings: Finding, next: str = "") -> Check:
    return Check(
        name=name,
        summary=f"{len(findings)} found",
        head=("", "object", "live"),
        findings=findings,
        notes=(),
        next=next,
    )


def finding(name: str, *, fails: bool = True, said: str = "gone") -> Finding:
    return Finding(fails=fails, cells=("missing" if fails else "extra", name, said))


def made(*checks: Check, error: str = "") -> Report:
    return Report(
        title="Preflight of env:SHOP",
        identity=(("database", "shop"),),
        checks=checks,
        error=error,
        error_code=2 if error else 0,
    )


def suite(text: str) -> ElementTree.Element:
    """The one suite of a JUnit file, held against what its readers count on."""
    root = ElementTree.fromstring(text.encode())  # noqa: S314  written here
    [found] = root
    assert (root.tag, found.tag) == ("testsuites", "testsuite")
    cases = found.findall("testcase")
    assert cases
    assert list(found) == cases
    keys = [(case.attrib["classname"], case.attrib["name"]) for case in cases]
    assert len(set(keys)) == len(keys)
    for each in (root, found):
        assert each.attrib["name"]
        assert int(each.attrib["tests"]) == len(cases)
        for kind in ("failure", "error"):
            assert int(each.attrib[f"{kind}s"]) == sum(case.find(kind) is not None for case in cases)
    return found


def test_each_failing_thing_and_each_passing_check_is_a_case() -> None:
    bad = check("schema", finding("table a"), finding("table b", fails=False), finding("table c"))
    found = suite(report.junit(made(check("migrations", finding("x", fails=False)), bad)))
    names = {(case.attrib["classname"], case.attrib["name"]): case for case in found}
    assert set(names) == {
        ("mendbook.migrations", "migrations"),
        ("mendbook.schema", "table a"),
        ("mendbook.schema", "table c"),
    }
    failure = names["mendbook.schema", "table a"].find("failure")
    assert failure is not None
    assert failure.text == "table a: missing\nlive: gone"
    assert failure.attrib == {"type": "missing", "message": failure.text}


def test_two_findings_of_one_name_are_two_cases() -> None:
    found = suite(report.junit(made(check("statements", finding("a.py:1"), finding("a.py:1")))))
    assert [case.attrib["name"] for case in found] == ["a.py:1", "a.py:1 (2)"]


def test_what_stopped_the_checks_is_an_error() -> None:
    stopped = made(error="The target cannot be opened.")
    [case] = suite(report.junit(stopped))
    assert case.find("error") is not None
    assert "The target cannot be opened." in report.markdown(stopped)
    assert (stopped.verdict, stopped.exit_code) == ("The target cannot be opened.", 2)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_stays_a_name(name: str) -> None:
    said = made(check("schema", finding(name, said=name)))
    [case] = suite(report.junit(said))
    assert re.sub(r"[\x00-\x08\x0e-\x1f\ud800\uffff]", "\N{REPLACEMENT CHARACTER}", name) == case.attrib["name"]
    page = report.markdown(said)
    assert "<script>" not in page
    assert "<x>" not in page
    row = next(line for line in page.splitlines() if line.startswith("| missing"))
    assert len(row.replace("\\|", "").split("|")) == 5
    assert "<script>" not in said._repr_html_()


def test_the_page_of_a_job_stays_small_and_shows_what_fails_first() -> None:
    fine = [finding(f"fine {n}", fails=False) for n in range(3000)]
    page = report.markdown(made(check("schema", *fine, finding("broken"), next="mendbook diff a b")))
    assert len(page) < 10_000
    assert "broken" in page
    assert f"… and {3001 - report.SHOWN} more." in page
    assert "```sh\nmendbook diff a b\n```" in page


def test_a_report_is_read_as_it_was_written() -> None:
    said = made(check("schema", finding("table a"), next="mendbook diff a b"), check("statements"))
    again = report.load(json.dumps(report.to_json(said)))
    assert again == said
    assert (again.exit_code, again.verdict) == (3, "1 problem (schema); nothing was changed")
