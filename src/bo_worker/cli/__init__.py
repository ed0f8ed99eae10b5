"""The commands of bo-worker. What a command needs is imported when it runs: `--help` must not wait for a database."""

from __future__ import annotations

import sys
from datetime import datetime  # noqa: TC003 - Typer reads the annotations
from pathlib import Path  # noqa: TC003 - Typer reads the annotations
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bo_worker.config import Settings

# Boxes and colours are for people: a pipe gets plain text.
_MARKUP: Literal["rich"] | None = "rich" if sys.stdout.isatty() else None

app = typer.Typer(
    name="bo-worker",
    help="Backorder worker: one true account of stock, claims and waiting customers. Settings are variables BO_*.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=_MARKUP,
)
show = typer.Typer(help="Show where an order stands, or how a product is.", no_args_is_help=True)
dlq = typer.Typer(help="Look at dead letters, and send them back.", no_args_is_help=True)
report = typer.Typer(
    help="Report how demand was met, what waits and for how long, of the last 30 days or of those given."
)
app.add_typer(show, name="show")
app.add_typer(report, name="report")
app.add_typer(dlq, name="dlq")

_DAY = ["%Y-%m-%d"]
_YEARS = range(2000, 2100)
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code: 0, 1 (failed), 2 (usage, configuration), 69 (a server is away)."""
    try:
        app(arguments)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except Exception as error:
        from bo_worker.cli.failures import explain  # noqa: PLC0415 - see above

        failure = explain(error)
        if failure is None:
            raise
        sys.stderr.write(f"{failure.text}\n")
        return failure.code
    return 0


@app.callback(invoke_without_command=True)
def _options(*, version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        from importlib.metadata import version as version_of  # noqa: PLC0415 - see above

        typer.echo(version_of("bo-worker"))
        raise typer.Exit


@app.command()
def run() -> None:
    """Run a worker until SIGTERM or Ctrl-C."""
    from bo_worker.cli.process import run_process  # noqa: PLC0415 - see above

    raise typer.Exit(run_process(_settings()))


@app.command()
def migrate() -> None:
    """Bring the database to the newest schema."""
    from bo_worker.cli.preparing import print_migrations  # noqa: PLC0415 - see above

    print_migrations(_settings())


@app.command()
def topics() -> None:
    """Create the topics that are missing."""
    from bo_worker.cli.preparing import print_topics  # noqa: PLC0415 - see above

    print_topics(_settings())


@app.command()
def check(
    *,
    audited: Annotated[
        bool, typer.Option("--audit", help="Recompute every counter of the account from its rows and its journal.")
    ] = False,
    json: Json = False,
) -> None:
    """Check configuration, Kafka, topics, database and schema, and the account if asked to."""
    from bo_worker.cli.checking import print_checks  # noqa: PLC0415 - see above

    raise typer.Exit(print_checks(_settings(), audited=audited, as_json=json))


@show.command("order")
def show_order(
    order_id: Annotated[str, typer.Argument(metavar="ID")],
    *,
    why: Annotated[
        bool, typer.Option("--why", help="Explain why each line waits or was served, and what would serve it now.")
    ] = False,
    export: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write all that is known of it to FILE as JSON, customer's data included."),
    ] = None,
    json: Json = False,
) -> None:
    """Show an order: its lines with all buckets, what they claim, where they wait, and notices of delays."""
    from bo_worker.cli.showing import export_order, print_order  # noqa: PLC0415 - see above

    if export is not None:
        export_order(_settings(), order_id, export)
        return
    print_order(_settings(), order_id, why=why, as_json=json)


@show.command("sku")
def show_sku(sku: Annotated[str, typer.Argument(metavar="SKU")], *, json: Json = False) -> None:
    """Show a product: its stock, what is on its way, what waits for it, and its policy."""
    from bo_worker.cli.showing import print_product  # noqa: PLC0415 - see above

    print_product(_settings(), sku, as_json=json)


@report.callback(invoke_without_command=True)
def report_shop(
    context: typer.Context,
    *,
    first: Annotated[
        datetime | None,
        typer.Option("--from", formats=_DAY, metavar="DATE", help="The first day, as 2026-11-01 (UTC)."),
    ] = None,
    last: Annotated[
        datetime | None,
        typer.Option("--to", formats=_DAY, metavar="DATE", help="The last day, as 2026-11-30; today by default."),
    ] = None,
    json: Json = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV, one figure per row.")] = False,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page with plots to FILE.")] = None,
) -> None:
    """Report how demand was met, what waits and for how long, of the last 30 days or of those given."""
    if context.invoked_subcommand is not None:
        return
    if json and csv:
        raise typer.BadParameter("choose one of --json and --csv")
    if any(day.year not in _YEARS for day in (first, last) if day):
        raise typer.BadParameter("a DATE lies between 2000-01-01 and 2099-12-31")
    if first and last and first > last:
        raise typer.BadParameter("--from must not be after --to")
    from bo_worker.cli.reporting import print_shop  # noqa: PLC0415 - see above

    form: Literal["table", "json", "csv"] = "json" if json else "csv" if csv else "table"
    print_shop(_settings(), first and first.date(), last and last.date(), form, html)


@report.command("promises")
def report_promises(*, json: Json = False) -> None:
    """Report how often promised dates held, against how often they were to hold."""
    from bo_worker.cli.reporting import print_promises  # noqa: PLC0415 - see above

    print_promises(_settings(), as_json=json)


Topic = Annotated[str, typer.Argument(help="An input topic, with or without .dlq.")]
AnyTopic = Annotated[str | None, typer.Argument(help="An input topic, with or without .dlq; all by default.")]


@dlq.command("list")
def list_dead_letters(
    topic: AnyTopic = None,
    *,
    newest: Annotated[int, typer.Option(min=0, help="How many to list one by one.")] = 20,
    replayed: Annotated[bool, typer.Option("--replayed", help="With those that were sent back.")] = False,
    json: Json = False,
) -> None:
    """Count dead letters by topic and error, and list the newest."""
    from bo_worker.cli.dead_letters import print_list  # noqa: PLC0415 - see above

    print_list(_settings(), topic, newest, with_replayed=replayed, as_json=json)


@dlq.command("show")
def show_dead_letter(
    topic: Topic,
    place: Annotated[str, typer.Argument(metavar="PARTITION:OFFSET")],
    *,
    value: Annotated[bool, typer.Option("--value", help="Print the value alone, byte by byte.")] = False,
    json: Json = False,
) -> None:
    """Show one dead letter whole: key, headers and value, which may hold a customer's data."""
    from bo_worker.cli.dead_letters import print_one  # noqa: PLC0415 - see above

    print_one(_settings(), topic, place, as_json=json, value_only=value)


@dlq.command("replay")
def replay_dead_letters(
    topic: AnyTopic = None,
    places: Annotated[list[str] | None, typer.Argument(metavar="PARTITION:OFFSET")] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="All that were not sent back yet.")] = False,
    error: Annotated[str | None, typer.Option(metavar="CODE", help="Of these, those with this error.")] = None,
    value_file: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="The mended value.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Send dead letters back to their topic: those named, or with --all or --error those not sent back yet."""
    from bo_worker.cli.replaying import make_choice, replay  # noqa: PLC0415 - see above

    settings = _settings()
    choice = make_choice(settings, topic, places or (), every=every, error=error)
    raise typer.Exit(replay(settings, choice, value_file.read_bytes() if value_file else None, sure=yes))


@app.command()
def stack() -> None:
    """Run Kafka and Postgres for development until Ctrl-C, and print the variables to use."""
    from bo_worker.cli.servers import run_stack  # noqa: PLC0415 - see above

    run_stack()


@app.command()
def demo(
    *,
    keep_running: Annotated[bool, typer.Option("--keep-running", help="Go on until Ctrl-C.")] = False,
    orders: Annotated[int | None, typer.Option(min=1, max=20_000, help="How many orders to play.")] = None,
) -> None:
    """Play real orders and receipts on servers of its own, and show what happens."""
    from bo_worker.demo import run as run_demo  # noqa: PLC0415 - see above

    raise typer.Exit(run_demo(keep_running=keep_running, orders=orders))


@app.command()
def year(
    *,
    days: Annotated[int, typer.Option(min=1, max=3650, help="How many days.")] = 365,
    seed: Annotated[int, typer.Option(help="Another seed is another year.")] = 1,
    orders_per_day: Annotated[
        float | None, typer.Option(min=1, help="The mean over a year; by default what the real orders suggest.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the report as a page to FILE as well.")
    ] = None,
) -> None:
    """Play a year of a shop on servers of its own, audit each day, and report the year."""
    from bo_worker.cli.files import check_writable  # noqa: PLC0415 - see above
    from bo_worker.cli.yearly import run_year  # noqa: PLC0415 - see above

    check_writable(html)
    raise typer.Exit(run_year(days, seed, orders_per_day, html))


@app.command()
def bench(
    scenarios: Annotated[
        list[str] | None, typer.Argument(help="drain, mixed, hot, queue, steady; all by default.")
    ] = None,
    *,
    quick: Annotated[bool, typer.Option("--quick", help="Less of everything: under two minutes.")] = False,
    orders: Annotated[int | None, typer.Option(min=1, help="How many orders to drain.")] = None,
    json: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the figures to FILE as well.")] = None,
) -> None:
    """Measure throughput and latency on servers of its own."""
    from bo_worker.bench.run import SCENARIOS, Plan, run_bench  # noqa: PLC0415 - see above
    from bo_worker.cli.files import check_writable  # noqa: PLC0415 - see above

    if unknown := set(scenarios or ()) - set(SCENARIOS):
        raise typer.BadParameter(f"no such scenario: {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}")
    check_writable(json)
    plan = Plan.quick() if quick else Plan()
    raise typer.Exit(run_bench(plan.narrowed(scenarios or (), orders), json))


def _settings() -> Settings:
    from bo_worker.config import load_settings  # noqa: PLC0415 - see above

    return load_settings()
