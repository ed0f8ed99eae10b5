"""The telemetry catalogue as a page: `python -m bo_worker.observability.telemetry docs/telemetry.md` writes it."""

from __future__ import annotations

import sys
from pathlib import Path

from bo_worker.observability.events import EVENTS
from bo_worker.observability.metrics import Metrics

_PAGE = """\
# Telemetry

Everything the worker tells about itself. This page is made from the code
(`python -m bo_worker.observability.telemetry docs/telemetry.md`), and a test keeps the two together.

## Probes

| path | 200 means | checks |
| --- | --- | --- |
| `/livez` | the process is alive; otherwise restart it | the loop answers; reading, applying, sweeping go on |
| `/readyz` | the worker does its work now | database, schema version, membership of the group, not draining |
| `/metrics` | | the metrics below, for Prometheus |

`?verbose` gives each check of a probe as JSON.

## Metrics

No label names a product, an order or a customer. The usual `process_*` metrics are there too.

| name | type | meaning |
| --- | --- | --- |
{metrics}

## Log events

Every line has `event`, `level` and `timestamp` (UTC). Message contents, customer data and secrets are never logged.

| event | meaning |
| --- | --- |
{events}
"""


def telemetry_page() -> str:
    """The page as Markdown."""
    return _PAGE.format(metrics="\n".join(_metric_rows()), events="\n".join(_event_rows()))


def _metric_rows() -> list[str]:
    families = (family for family in Metrics().registry.collect() if family.name.startswith("bo_worker_"))
    return [
        f"| `{family.name}{'_total' if family.type == 'counter' else ''}` | {family.type} | {family.documentation} |"
        for family in families
    ]


def _event_rows() -> list[str]:
    return [f"| `{name}` | {meaning} |" for name, meaning in EVENTS.items()]


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(telemetry_page())
