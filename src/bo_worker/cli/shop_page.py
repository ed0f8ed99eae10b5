"""The report of a shop as one page: self-contained, without script or address, light and dark, with its tables."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any, Final

from bo_worker.cli.plots import Bar, Plot, Series, bars, grouped, line, merged, stacked
from bo_worker.cli.shop_tables import sections, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bo_worker.cli.shop_tables import Section
    from bo_worker.store.reports import Report

_COLUMNS_MAX: Final = 62
_STYLE: Final = """
:root { color-scheme: light dark; --page: #ffffff; --card: #f4f5f7; --ink: #1c2430; --faint: #5a6472; --rule: #d5d9df;
  --one: #2563a8; --two: #b45f06; --three: #a32a5e; }
@media (prefers-color-scheme: dark) { :root { --page: #14181e; --card: #1e242c; --ink: #e8ebef; --faint: #a3adb9;
  --rule: #3a424d; --one: #7db7f0; --two: #f0b060; --three: #f08bb0; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 60rem; background: var(--page); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.6rem; }
h2 { margin: 2.5rem 0 0; font-size: 1.2rem; }
p { margin: .25rem 0 .75rem; color: var(--faint); max-width: 46rem; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); gap: .75rem; margin: 1.5rem 0 0; }
dl div { display: flex; flex-direction: column; justify-content: space-between; padding: .75rem 1rem;
  background: var(--card); border-radius: .5rem; }
dt { color: var(--faint); font-size: .85rem; }
dd { margin: 0; font-size: 1.5rem; font-weight: 600; font-variant-numeric: tabular-nums; }
figure { margin: .5rem 0 1rem; }
svg { display: block; width: 100%; height: auto; font-size: 13px; }
svg text { fill: var(--ink); }
figcaption { display: flex; flex-wrap: wrap; gap: 1rem; font-size: .9rem; margin-bottom: .25rem; }
figcaption i { display: inline-block; width: .8rem; height: .8rem; border-radius: .15rem; margin-right: .4rem; }
.tone-1 { fill: var(--one); background: var(--one); } .tone-2 { fill: var(--two); background: var(--two); }
.tone-3 { fill: var(--three); background: var(--three); }
rect { stroke: var(--page); stroke-width: .75; }
.grid { stroke: var(--rule); } .mark { stroke: var(--ink); stroke-width: 2.5; }
.curve { fill: none; stroke: var(--two); stroke-width: 2; } .area { fill: var(--two); opacity: .2; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .75rem; border-bottom: 1px solid var(--rule); text-align: left; }
th { color: var(--faint); font-weight: 600; } .number { text-align: right; }
td { white-space: nowrap; }
summary { cursor: pointer; color: var(--faint); }
@media (max-width: 40rem) { svg { font-size: 18px; } }
@media print { body { max-width: none; } section { break-inside: avoid; } }
"""
_TEXT_COLUMNS: Final = {"age", "currency", "day", "line_id", "month", "of", "order_id", "refused_by", "since", "sku"}


def page(report: Report) -> str:
    """Return the page. All that comes from messages is escaped."""
    period = f"{report['from']} to {report['to']}"
    plots = _plots(report)
    parts = "".join(_section(section, plots.get(section.name, "")) for section in sections(report))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Backorder report, {escape(period)}</title>
<style>{_STYLE}</style>
</head>
<body>
<header>
<h1>Backorder report</h1>
<p>{escape(period)}, days in UTC. As of {report["at"]:%Y-%m-%d %H:%M} UTC.</p>
</header>
<main>
{_headlines(report)}
{parts}</main>
</body>
</html>
"""


def _headlines(report: Report) -> str:
    units, time = report["service"][0], report["fill_time"]["median_days"]
    found = {
        "Orders taken in": shown("orders", report["intake"]["orders"]),
        "Fill rate": shown("fill_rate", units["fill_rate"]),
        "Backorder rate": shown("backorder_rate", units["backorder_rate"]),
        "Units waiting now": shown("units", report["waiting"]["units"]),
        "Median days to fill": "-" if time is None else f"{time:.1f}",
        "Cross-docked": shown("share", report["dock"]["share"]),
    }
    tiles = "".join(f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>" for name, value in found.items())
    return f"<dl>{tiles}</dl>"


def _section(section: Section, plots: str) -> str:
    table = _table(section) if section.rows else "<p>There is nothing to tell.</p>"
    if section.name == "days":
        table = f"<details><summary>All days as a table</summary>{table}</details>"
    return (
        f'<section aria-labelledby="{section.name}"><h2 id="{section.name}">{escape(section.title)}</h2>'
        f"<p>{escape(section.meaning)}</p>{plots}{table}</section>\n"
    )


def _table(section: Section) -> str:
    head = "".join(f'<th scope="col"{_side(name)}>{escape(name.replace("_", " "))}</th>' for name in section.columns)
    rows = "".join(f"<tr>{''.join(_cells(section.columns, row))}</tr>" for row in section.rows)
    title = escape(section.title)
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{title}">'
        f'<table aria-label="{title}"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _cells(columns: Iterable[str], row: Iterable[Any]) -> list[str]:
    return [f"<td{_side(name)}>{escape(shown(name, value))}</td>" for name, value in zip(columns, row, strict=True)]


def _side(column: str) -> str:
    return "" if column in _TEXT_COLUMNS else ' class="number"'


def _plots(report: Report) -> dict[str, str]:
    """Draw the plots, by section; what has no figures has no plot."""
    found = {"days": _demand_by_day(report["days"]) + _backlog_by_day(report["days"])}
    if any(row[state] for row in report["ages"] for state in ("waiting", "filled", "cancelled")):
        found["ages"] = _by_age(report["ages"])
    if any(level["judged"] for level in report["promises"]):
        found["promises"] = _kept(report["promises"])
    if report["unmet_products"]:
        found["unmet_products"] = _unmet(report["unmet_products"])
    return found


def _demand_by_day(days: Sequence[Report]) -> str:
    size = math.ceil(len(days) / _COLUMNS_MAX) or 1
    parts = {"served at once": "served", "began to wait": "waited", "rejected": "rejected"}
    series = [Series(name, merged([day[part] for day in days], size, sum)) for name, part in parts.items()]
    text = "; ".join(f"{one.name}: {sum(one.values):,.0f} units" for one in series)
    axis = "day of the order (UTC)" if size == 1 else f"{size} days from"
    plot = Plot("plot-demand", "Units ordered, by day", text, "units", axis, _days(days, size), series)
    return _figure(plot.title, stacked(plot), [one.name for one in series])


def _backlog_by_day(days: Sequence[Report]) -> str:
    size = math.ceil(len(days) / _COLUMNS_MAX) or 1
    values = merged([day["waiting"] for day in days], size, lambda some: some[-1])
    text = f"From {values[0]:,.0f} units at the end of the first day to {values[-1]:,.0f} at the end of the last."
    series = [Series("waiting", values)]
    plot = Plot(
        "plot-backlog", "Units waiting, by day", text, "units", "end of the day (UTC)", _days(days, size), series
    )
    return _figure(plot.title, line(plot), [])


def _by_age(ages: Sequence[Report]) -> str:
    states = {"filled": "filled in the period", "waiting": "waiting now", "cancelled": "given up in the period"}
    series = [Series(name, [row[state] for row in ages]) for state, name in states.items()]
    text = "; ".join(
        f"{one.name}: " + ", ".join(f"{value:,} {row['age']}" for row, value in zip(ages, one.values, strict=True))
        for one in series
    )
    labels = [row["age"] for row in ages]
    plot = Plot("plot-ages", "Units by how long they waited", text, "units", "time since the order", labels, series)
    return _figure(plot.title, grouped(plot), [one.name for one in series])


def _kept(levels: Sequence[Report]) -> str:
    found = [
        Bar(
            f"{level['judged']:,} promised at {shown('level', level['level'])}",
            held,
            shown("share", held),
            level["level"],
        )
        for level in levels
        if (held := level["share_held"]) is not None
    ]
    text = "; ".join(f"{bar.label}: {bar.written} held" for bar in found)
    title = "Share of promises that held; the line is where it was to be"
    return _figure(title, bars("plot-promises", title, text, found), [])


def _unmet(products: Sequence[Report]) -> str:
    most = max(row["units"] for row in products)
    found = [Bar(row["sku"], row["units"] / most, f"{row['units']:,}") for row in products]
    text = "; ".join(f"{bar.label}: {bar.written} units" for bar in found)
    title = "Units rejected, by product"
    return _figure(title, bars("plot-unmet", title, text, found, tone=3), [])


def _days(days: Sequence[Report], size: int) -> list[str]:
    return [f"{day['day']:%d %b}" for day in days[::size]]


def _figure(title: str, drawn: str, names: Sequence[str]) -> str:
    legend = "".join(f'<span><i class="tone-{tone}"></i>{escape(name)}</span>' for tone, name in enumerate(names, 1))
    return f"<figure><figcaption><b>{escape(title)}</b>{legend}</figcaption>{drawn}</figure>"
