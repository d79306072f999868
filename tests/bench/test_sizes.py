"""One mailbox that grows: the whole measurement, small, and its drawing."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench.plot import Panel, plot
from bench.sizes import main


def test_a_small_measurement_goes_through_and_is_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drawing = tmp_path / "sizes.svg"
    assert main(["--sizes", "50,120", "--repeat", "1", "--commands", "2", "--json", "--plot", str(drawing)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [size["messages"] for size in told] == [50, 120]
    assert all(value > 0 for size in told for value in size.values())
    assert len(circles(drawing.read_text())) == 10


def test_what_is_ten_times_as_much_stands_a_decade_higher() -> None:
    once = [Panel("flat & steep", "ms", [10, 100, 1000], [1.0, 10.0, 100.0])]
    (first, second, third) = [(float(each.attrib["cx"]), float(each.attrib["cy"])) for each in circles(plot(once))]
    assert first[0] < second[0] < third[0]
    assert first[1] - second[1] == pytest.approx(second[1] - third[1], abs=0.2)
    assert first[1] > second[1]


def circles(drawing: str) -> list[ElementTree.Element]:
    return ElementTree.fromstring(drawing).findall(".//{http://www.w3.org/2000/svg}circle")
