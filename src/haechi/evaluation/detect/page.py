"""The card of an evaluation as a page for people: what may be wrong with the set before any figure."""

from collections.abc import Sequence
from html import escape
from typing import Any

from haechi.evaluation.detect.card import WORST_ACCUSED

_NOTHING = "–"  # noqa: RUF001 - a dash in a table

ENOUGH_REAL = 268
"""Of so many none may be accused to be 95 % sure of WORST_ACCUSED (Wilson)."""

type Told = dict[str, Any]


def html(told: Told, reasons: Sequence[str]) -> str:
    """The page: what may be wrong with the set, then figures, then what they must not be taken for."""
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>",
        "<meta name=viewport content='width=device-width'><title>Detection card</title>",
        f"<style>{_STYLE}</style><main><h1>How well made and altered pictures are told</h1>",
        f"<p>{escape(told['made_at'])} · pictures {told['manifest_sha256'][:12]} · ",
        ", ".join(f"{escape(str(name))}: {count}" for name, count in told["counts"].items()),
        "</p>",
        _gate_part(reasons),
        _confound_part(told["confounds"]),
        _summary(told),
        f"<figure>{_curves(told)}<figcaption>{_ABOUT_CURVES}</figcaption></figure>",
    ]
    parts += [_system(name, system) for name, system in told["systems"].items()]
    parts.append(_edits(told))
    parts.append(
        "<p>Intervals are of 95 %, over draws of whole sources. A figure holds for pictures like "
        "these; on what circulates published detectors lose about half of what they show at home."
        "</p></main></html>\n"
    )
    return "\n".join(parts)


_ABOUT_CURVES = (
    "Fakes caught for each rate of real pictures called fake. The dotted line is a coin."
)
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;color:#111;background:#fff;margin:0}"
    "main{max-width:60rem;margin:auto;padding:1rem}table{border-collapse:collapse;margin:1rem 0}"
    "td,th{border:1px solid #bbb;padding:.25rem .5rem;text-align:right}"
    "td:first-child,th:first-child{text-align:left}.warn{border-left:.4rem solid #b3261e;"
    "padding:.1rem 1rem;background:#fbeeed}.good{border-left:.4rem solid #1f6f3a;padding:.1rem 1rem}"
    "figure{margin:1rem 0;overflow:auto}"
)


def _gate_part(reasons: Sequence[str]) -> str:
    if not reasons:
        return "<p class=good>The release gate is passed.</p>"
    return f"<div class=warn><p>The release gate is not passed:</p>{_list(reasons)}</div>"


def _confound_part(confounds: Sequence[Told]) -> str:
    if not confounds:
        return "<p class=good>No format, size, compression or source was found to separate the classes.</p>"
    words = [one["words"] for one in confounds]
    return (
        "<div class=warn><p>Read this first. Things that have nothing to do with the question "
        f"separate the classes here, so every figure below may be too good:</p>{_list(words)}</div>"
    )


def _list(lines: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(line)}" for line in lines) + "</ul>"


def _summary(told: Told) -> str:
    rows = []
    for name, one in told["systems"].items():
        caught = [interval(at["caught"]) for at in one["at"]]
        silent = [percent(one["abstained"][kind]) for kind in ("real", "fake")]
        rows.append([name, interval(one["auc"]), *caught, *silent])
    head = ["system", "AUC", "caught at 1 %", "caught at 5 %", "says nothing (real)", "(fake)"]
    return _table(head, rows)


def _system(name: str, told: Told) -> str:
    parts = [f"<h2>{escape(name)}</h2>"]
    if told["answers"]:
        parts.append(_answers(told["answers"]))
    rows = [
        [
            percent(at["rate"]),
            _told(at["threshold"]),
            percent(at["caught_on_others"]),
            percent(at["rate_on_others"]),
            at["real_on_others"],
        ]
        for at in told["at"]
    ]
    head = [
        "threshold placed for",
        "score",
        "fakes caught on other sources",
        "real called fake there",
        "of so many real",
    ]
    parts.append(_table(head, rows))
    for part, kinds in told["parts"].items():
        if kinds:
            lines = [
                [
                    kind,
                    one["real"],
                    one["fake"],
                    one["unscored"],
                    interval(one["auc"]),
                    percent(one["caught"]),
                    percent(one["rate"]),
                ]
                for kind, one in kinds.items()
            ]
            parts.append(
                _table(
                    [part, "real", "fake", "unscored", "AUC", "caught", "real called fake"], lines
                )
            )
    parts.append(
        f"<figure>{_calibration(told)}<figcaption>Calibration: scores, and how many fakes are "
        "among such scores at even numbers. A probability lies on the line.</figcaption></figure>"
    )
    return "\n".join(parts)


def _answers(told: Told) -> str:
    """How often each of the five words was said, and what that shows of the promise."""
    words = list(told["real"])
    rows = [[kind, *(told[kind][word] for word in words)] for kind in ("real", "fake")]
    shown = _table(["answer", *(word.replace("_", " ") for word in words)], rows)
    most = told["accused_at_most"]
    line = (
        f"{told['accused']} real pictures are accused; with 95 % certainty the rate is under "
        f"{percent(most)}."
    )
    if most > WORST_ACCUSED:
        line += (
            f" That does not show that it is under {WORST_ACCUSED:.0%}: at least {ENOUGH_REAL} real "
            "pictures, of which none is accused, are needed for that."
        )
    return f"{shown}<p>{line}</p>"


def _edits(told: Told) -> str:
    if not told["edits"]:
        return "<p>Edited copies were not measured.</p>"
    names = list(told["systems"])
    rows = []
    for edit, by in told["edits"].items():
        cells = [(interval(by[name]["auc"]), percent(by[name]["rate"])) for name in names]
        rows.append([edit, *(cell for pair in cells for cell in pair)])
    head = ["edit", *(words for name in names for words in (f"{name}: AUC", "real called fake"))]
    return "<h2>After edits</h2>" + _table(head, rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = ["".join(f"<td>{escape(str(cell))}" for cell in row) for row in rows]
    top = "".join(f"<th scope=col>{escape(cell)}" for cell in head)
    return f"<table><tr>{top}" + "".join(f"<tr>{line}" for line in lines) + "</table>"


def interval(figure: Told | None) -> str:
    """A value with its interval, as it is printed."""
    if figure is None:
        return _NOTHING
    if figure["low"] is None:
        return f"{figure['value']:.3f}"
    return f"{figure['value']:.3f} ({figure['low']:.3f}–{figure['high']:.3f})"  # noqa: RUF001 - a range


def percent(share: float | None) -> str:
    """A share in per cent, or a dash."""
    return _NOTHING if share is None else f"{share:.1%}"


def _curves(told: Told) -> str:
    points = [
        {"system": name, "rate": rate, "caught": caught}
        for name, one in told["systems"].items()
        for rate, caught in one["curve"]
    ]
    diagonal = [{"rate": 0, "caught": 0}, {"rate": 1, "caught": 1}]
    return _svg(
        points, diagonal,
        x=("rate", "real called fake"), y=("caught", "fakes caught"), colour="system", mark="line",
    )  # fmt: skip


def _calibration(told: Told) -> str:
    points = [
        {"score": one["mean"], "fakes": one["fakes"], "pictures": one["count"]}
        for one in told["calibration"]
        if one["count"]
    ]
    diagonal = [{"score": 0, "fakes": 0}, {"score": 1, "fakes": 1}]
    return _svg(points, diagonal, x=("score", "score"), y=("fakes", "share of fakes"), mark="point")


def _svg(
    points: Sequence[Told],
    diagonal: Sequence[Told],
    *,
    x: tuple[str, str],
    y: tuple[str, str],
    mark: str,
    colour: str | None = None,
) -> str:
    axes = {
        side: {"field": field, "type": "quantitative", "title": title, "scale": {"domain": [0, 1]}}
        for side, (field, title) in (("x", x), ("y", y))
    }
    shown: Told = dict(axes)
    if colour is not None:
        shown["color"] = {"field": colour, "type": "nominal", "title": None}
        shown["strokeDash"] = {"field": colour, "type": "nominal", "title": None}
    spec = {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": 380,
        "height": 300,
        "layer": [
            {
                "data": {"values": list(diagonal)},
                "mark": {"type": "line", "strokeDash": [2, 4], "color": "#777"},
                "encoding": axes,
            },
            {"data": {"values": list(points)}, "mark": {"type": mark}, "encoding": shown},
        ],
    }
    import vl_convert  # noqa: PLC0415  # 80 MB that only who draws needs to load

    return str(vl_convert.vegalite_to_svg(spec))


def _told(value: float | None) -> str:
    return _NOTHING if value is None else f"{value:.3f}"
