"""The time line as a picture: whatever is in it, it is one that a page can hold."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest
from mendbook.show import plots
from mendbook.show.plots import Plot

from tests.stages.test_document import HOSTILE, Tags

STEP = ["Add column a", "ACCESS EXCLUSIVE", 0.1, 0.4, 0.5, True]
FAILED = ["Add column b", "ACCESS EXCLUSIVE", 0.6, 0.9, 0.9, False]
SENT = ["app.py:1", 3, 0.4, 1.2, "42703 known", "55P03 new"]


def line(**changes: Any) -> dict[str, Any]:
    slots = [[0.0, 1, 0.4, 0], [0.5, 2, 120.0, 1]]
    return {"seconds": 1.0, "steps": [STEP], "statements": [SENT], "slots": slots, "stale": [], **changes}


def drawn(data: dict[str, Any]) -> ElementTree.Element:
    return ElementTree.fromstring(plots.draw(data))  # noqa: S314  ours


def texts(root: ElementTree.Element) -> list[str]:
    return [each.text or "" for each in root.iter("text")]


def test_the_wait_and_the_hold_of_a_step_differ_in_more_than_their_colour() -> None:
    wait, hold = drawn(line()).iter("rect")
    assert wait.get("fill") == "none"
    assert wait.get("stroke-dasharray")
    assert hold.get("fill") != "none"
    width = [float(each.get("width", "0")) for each in (wait, hold)]
    assert width[0] == pytest.approx(3 * width[1], rel=0.01)


def test_a_new_error_has_a_sign_besides_its_colour() -> None:
    root = drawn(line())
    assert texts(root).count("✕") == 1
    assert len([each for each in root.iter("line") if each.get("stroke-width")]) == 2


def test_an_attempt_that_did_not_get_its_lock_says_so() -> None:
    assert "Add column b · did not get ACCESS EXCLUSIVE" in texts(drawn(line(steps=[STEP, FAILED])))


@pytest.mark.parametrize("change", [{"steps": []}, {"slots": []}, {"seconds": 0.0}])
def test_what_there_is_nothing_of_is_left_out(change: dict[str, Any]) -> None:
    drawn(line(**change))


def test_names_full_of_markup_are_text() -> None:
    page = Tags()
    data = line(steps=[[HOSTILE, *STEP[1:]]], statements=[[HOSTILE, *SENT[1:]]], stale=[f"{HOSTILE}: 0A000 no"])
    page.feed(Plot(data=data)._repr_html_())
    assert "img" not in page.tags
    assert "".join(page.text).count(HOSTILE) == 4


def test_the_text_says_what_the_picture_says() -> None:
    said = str(Plot(data=line(steps=[STEP, FAILED], stale=["a read: 0A000 no"])))
    for word in ("300 ms", "100 ms", "did not get it", "42703 known", "55P03 new", "0A000 no", "asyncpg"):
        assert word in said


def test_where_no_step_was_applied_that_is_said() -> None:
    assert str(Plot(data={})) == "No step was applied."
    assert "<svg" not in Plot(data={})._repr_html_()
