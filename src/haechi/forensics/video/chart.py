"""The timeline of a film as a chart: what was measured and scored of each face, second by second."""

import json
from collections.abc import Mapping
from typing import Any

from haechi.forensics.report import Report
from haechi.forensics.video.findings import SPEAKS_AT

TITLES: Mapping[str, str] = {
    "second": "seconds",
    "ratio": "1 = remarkable",
    "score": "score of the model",
    "face": "face",
    "flicker": "brightness trembles",
    "jitter": "features tremble",
    "frozen": "face stands still",
    "held": "only the face moves",
}
"""Words in the chart; whoever speaks another language gives others."""

_VERSION = "5.20"
_WIDTH, _HEIGHT = 640, 160
_MODEL = "model."
_COLOURS = ("#1b5e9e", "#b8501c", "#5f7d1f", "#7a3e9d", "#00756f", "#a3224b")
_MOST = 4.0


def svg(report: Report, titles: Mapping[str, str] = TITLES) -> str:
    """The chart as an SVG document; empty text if the report has no timeline."""
    import vl_convert  # noqa: PLC0415 - 80 MB that only who looks at charts needs to load

    found = spec(report, titles)
    return vl_convert.vegalite_to_svg(json.dumps(found), vl_version=_VERSION) if found else ""


def png(report: Report, titles: Mapping[str, str] = TITLES) -> bytes:
    """The same as a PNG; no bytes if the report has no timeline."""
    import vl_convert  # noqa: PLC0415 - as above

    found = spec(report, titles)
    if not found:
        return b""
    return bytes(vl_convert.vegalite_to_png(json.dumps(found), vl_version=_VERSION, scale=2.0))


def spec(report: Report, titles: Mapping[str, str] = TITLES) -> dict[str, object] | None:
    """The Vega-Lite specification: measures in units of what is remarkable, scores as they are."""
    measured, scored = _rows(report, titles)
    panels = []
    if measured:
        panels.append(_panel(measured, titles["ratio"], titles, (0, _MOST), rule=1.0))
    if scored:
        top = max(1.0, *(float(str(row["value"])) for row in scored))
        panels.append(_panel(scored, titles["score"], titles, (0, top), rule=None))
    if not panels:
        return None
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "background": "#ffffff",
        "vconcat": panels,
        "resolve": {"scale": {"color": "independent"}},
        "config": {"axis": {"labelFontSize": 12, "titleFontSize": 12}},
    }


def rows(report: Report, titles: Mapping[str, str] = TITLES) -> list[dict[str, Any]]:
    """What the chart shows, as rows: second, face, series and value."""
    measured, scored = _rows(report, titles)
    return [*measured, *scored]


def _rows(
    report: Report, titles: Mapping[str, str]
) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    measured, scored = [], []
    for point in report.timeline:
        face = f"{titles['face']} {int(point['track']) + 1}"
        at = {"second": point["second"], "face": face}
        for name, value in point.items():
            if name in SPEAKS_AT:
                ratio = min(_MOST, value / SPEAKS_AT[name])
                measured.append({**at, "series": titles[name], "value": ratio})
            elif name.startswith(_MODEL):
                scored.append({**at, "series": name.removeprefix(_MODEL), "value": value})
    return measured, scored


def _panel(
    rows: list[dict[str, object]],
    title: str,
    titles: Mapping[str, str],
    domain: tuple[float, float],
    *,
    rule: float | None,
) -> dict[str, object]:
    series = list(dict.fromkeys(str(row["series"]) for row in rows))
    lines: dict[str, object] = {
        "mark": {"type": "line", "point": {"size": 20}, "strokeWidth": 1.8},
        "encoding": {
            "x": {"field": "second", "type": "quantitative", "title": titles["second"]},
            "y": {
                "field": "value",
                "type": "quantitative",
                "title": title,
                "scale": {"domain": list(domain)},
            },
            "color": {
                "field": "series",
                "type": "nominal",
                "title": None,
                "scale": {"domain": series, "range": _colours(len(series))},
            },
            "strokeDash": {"field": "face", "type": "nominal", "title": None},
        },
    }
    layers: list[dict[str, object]] = [lines]
    if rule is not None:
        mark = {"type": "rule", "strokeDash": [6, 4], "color": "#666666"}
        layers.append({"mark": mark, "encoding": {"y": {"datum": rule}}})
    return {"width": _WIDTH, "height": _HEIGHT, "data": {"values": rows}, "layer": layers}


def _colours(count: int) -> list[str]:
    return [_COLOURS[number % len(_COLOURS)] for number in range(count)]
