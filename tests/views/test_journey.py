"""The map of the workbook."""

from __future__ import annotations

from course_lib.views import journey


def test_journey_names_every_station() -> None:
    stations = [journey.Station("01", "a graph"), journey.Station("05", "frozen", 70_000)]
    assert "frozen in lesson 05" in journey.picture(stations).alt
