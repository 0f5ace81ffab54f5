"""Charts as SVG, drawn on the server from Vega-Lite specifications: no script, no request elsewhere.

Colours are variables of the page's own style, so a chart is right in the dark too. Words are set in
the page's own font; the program only has to know about how wide they are.
"""

import functools
import json
import re
from collections.abc import Mapping, Sequence

WIDTH = 256
# Beyond so many days, their dots would hide the line.
SPARSE = 31
INK, SOFT, LINE = "var(--ink)", "var(--ink-soft)", "var(--line)"
_VERSION = "5.20"
_CONFIG = {
    "background": None,
    "padding": 4,
    "view": {"stroke": None},
    "axis": {
        "labelColor": SOFT, "titleColor": SOFT, "tickColor": LINE, "domainColor": LINE,
        "gridColor": LINE, "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal",
        "labelOverlap": "greedy",
    },
    "legend": {
        "labelColor": INK, "labelFontSize": 12, "symbolSize": 90, "title": None, "orient": "top",
        "direction": "horizontal", "columns": 2, "labelLimit": 112,
    },
}  # fmt: skip

type Spec = Mapping[str, object]
type Row = Mapping[str, object]


def bars(
    rows: Sequence[Row],
    *,
    colours: Mapping[str, str],
    values: str,
    beside: bool = False,
    legend: bool = True,
    whole: bool = True,
) -> Spec:
    """Bars under their names, one after the other, stacked by `series`.

    rows     name, series, value; drawn in this order
    colours  of every series, in the order in which they are stacked
    values   what is counted, below the axis
    beside   every series has a bar of its own beside the others, instead of on them
    legend   False where the names say it already
    whole    False where parts of what is counted make sense: hours, not cases
    """
    names = list(dict.fromkeys(row["name"] for row in rows))
    y = {"field": "name", "type": "nominal", "sort": names, "axis": None}
    x = {
        "field": "value",
        "type": "quantitative",
        "title": values,
        "axis": _axis(whole=whole) | {"grid": True},
    }
    drawn = [[series] for series in colours] if beside else [list(colours)]
    layers: list[object] = [
        {
            "transform": [{"filter": {"field": "series", "oneOf": together}}],
            "mark": {"type": "bar", "size": 10 if beside else 14, "yOffset": 8 + 12 * number},
            "encoding": {"y": y, "x": x, "color": _colour(colours), "order": {"field": "place"}},
        }
        for number, together in enumerate(drawn)
    ]
    label = {
        "data": {"values": [{"name": name} for name in names]},
        "mark": {
            "type": "text",
            "align": "left",
            "baseline": "bottom",
            "dy": -1,
            "color": INK,
            "fontSize": 12,
            "limit": WIDTH - 10,
        },
        "encoding": {"y": y, "x": {"value": 0}, "text": {"field": "name"}},
    }
    placed = [
        {**row, "place": place}
        for row in rows
        for place, series in enumerate(colours)
        if series == row["series"]
    ]
    return _whole(
        {"layer": [*layers, label], "data": {"values": placed}},
        height=(54 if beside else 42) * len(names),
        legend=legend and len(colours) > 1,
    )


def lines(
    rows: Sequence[Row],
    *,
    colours: Mapping[str, str],
    values: str,
    height: int = 120,
    whole: bool = True,
) -> Spec:
    """Lines over days. Rows are day (ISO), series, value; `values` says what is counted."""
    sparse = len(rows) <= SPARSE * len(colours)
    return _whole(
        {
            "data": {"values": list(rows)},
            "mark": {
                "type": "line",
                "strokeWidth": 2,
                "point": {"size": 18, "filled": True} if sparse else False,
            },
            "encoding": {
                "x": {
                    "field": "day",
                    "type": "temporal",
                    "title": None,
                    "axis": {"format": "%m-%d", "tickCount": 5, "grid": False},
                },
                "y": {
                    "field": "value",
                    "type": "quantitative",
                    "title": values,
                    "axis": _axis(whole=whole),
                    "scale": {"zero": True, "nice": True},
                },
                "color": _colour(colours),
            },
        },
        height=height,
        legend=len(colours) > 1,
    )


def svg(spec: Spec) -> str:
    """The drawing, to be put into a page; it is hidden from readers who hear, who get the table."""
    return _svg(json.dumps(spec, sort_keys=True, ensure_ascii=False))


def _axis(*, whole: bool) -> dict[str, object]:
    """About four marks; never half a case."""
    marks: dict[str, object] = {"tickCount": 4}
    none = "datum.value % 1 ? '' : format(datum.value, ',d')"
    return marks | {"labelExpr": none} if whole else marks


def _colour(colours: Mapping[str, str]) -> Mapping[str, object]:
    return {
        "field": "series",
        "type": "nominal",
        "scale": {"domain": list(colours), "range": list(colours.values())},
    }


def framed(spec: Spec) -> Spec:
    """A specification that was made elsewhere, on the ground and in the letters of our pages."""
    return {**spec, "background": None, "config": _CONFIG}


def _whole(spec: Mapping[str, object], *, height: int, legend: bool) -> Spec:
    config = _CONFIG if legend else _CONFIG | {"legend": {"disable": True}}
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": WIDTH,
        "height": height,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "config": config,
        **spec,
    }


@functools.lru_cache(maxsize=200)
def _svg(spec: str) -> str:
    """What was drawn once is kept: the same numbers in the same words make the same picture."""
    import vl_convert  # noqa: PLC0415  # 80 MB that only who looks at charts needs to load

    drawn = vl_convert.vegalite_to_svg(spec, vl_version=_VERSION)
    # Roles and names of the parts say nothing beside the name of the whole, and are in English.
    drawn = re.sub(r'\s(?:aria-[a-z]+|role|pointer-events)="[^"]*"', "", drawn)
    drawn = re.sub(r'\sfont-family="[^"]*"', "", drawn)
    return re.sub(
        r'^<svg[^>]*\sviewBox="([^"]*)"[^>]*>',
        r'<svg class="drawing" viewBox="\1" aria-hidden="true" focusable="false">',
        drawn,
        count=1,
    )
