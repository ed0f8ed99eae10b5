"""Whatever a document names exists: files, headings, settings, commands, targets, metrics, tables, error codes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest
import typer

from bo_worker.bench.run import SCENARIOS
from bo_worker.cli import app
from bo_worker.config import describe_settings
from bo_worker.messages.refusal import ErrorCode
from bo_worker.observability.metrics import Metrics
from bo_worker.stack.servers import DATABASE_VARIABLE, KAFKA_VARIABLE, PROVIDER_VARIABLE
from bo_worker.store.migrations import migration_files

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
SETTINGS = {row.variable for row in describe_settings()} | {DATABASE_VARIABLE, KAFKA_VARIABLE, PROVIDER_VARIABLE}
DIAGRAMS = ("flowchart LR", "stateDiagram-v2")

every_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def code_in(text: str) -> Iterator[str]:
    """The lines of code blocks, and what stands between backticks elsewhere."""
    for index, part in enumerate(re.split(r"^```.*$", text, flags=re.MULTILINE)):
        yield from part.splitlines() if index % 2 else re.findall(r"`([^`]+)`", part)


def headings(document: Path) -> set[str]:
    """The names by which headings can be linked to."""
    found = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in found}


def metric_names() -> set[str]:
    families = list(Metrics().registry.collect())
    return {family.name + ("_total" if family.type == "counter" else "") for family in families}


def command_named(words: list[str]) -> Any:
    """The command that the words begin with; None where there is none."""
    command: Any = typer.main.get_command(app)
    while words and hasattr(command, "commands"):
        command = command.commands.get(words.pop(0))
    return command


@every_document
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", document.read_text(encoding="utf-8")):
        path, _, heading = target.partition("#")
        linked = (document.parent / path).resolve() if path else document
        assert linked.exists(), target
        assert not heading or heading in headings(linked), target


@every_document
def test_settings_that_are_named_exist(document: Path) -> None:
    assert set(re.findall(r"\bBO_[A-Z_]*[A-Z]\b", document.read_text(encoding="utf-8"))) <= SETTINGS


@every_document
def test_make_targets_that_are_named_exist(document: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    named = [re.findall(r"^make ([a-z]+)", code) for code in code_in(document.read_text(encoding="utf-8"))]
    assert {target for targets in named for target in targets} <= targets


@every_document
def test_commands_and_options_that_are_named_exist(document: Path) -> None:
    for code in code_in(document.read_text(encoding="utf-8")):
        if not re.match(r"bo-worker \w", code):
            continue
        words = re.split(r" --| #", code.removeprefix("bo-worker "))[0]
        command = command_named(re.findall(r"[a-z]+", words)[:2])
        assert command is not None, code
        options = {option for parameter in getattr(command, "params", ()) for option in parameter.opts}
        assert set(re.findall(r"(?<= )--[a-z-]+", code)) <= options | {"--help"}, code


@every_document
def test_metrics_that_are_named_exist(document: Path) -> None:
    assert set(re.findall(r"\bbo_worker_[a-z_]+", document.read_text(encoding="utf-8"))) <= metric_names()


@every_document
def test_tables_and_views_that_are_named_exist(document: Path) -> None:
    schema = "\n".join(sql for _, sql in migration_files())
    for name in re.findall(r"\bbo_worker\.([a-z_]+)\b", "\n".join(code_in(document.read_text(encoding="utf-8")))):
        assert re.search(rf"create (or replace )?(table|view) bo_worker\.{name}\b", schema) or is_module(name), name


def is_module(name: str) -> bool:
    return (ROOT / "src/bo_worker" / name).is_dir()


@every_document
def test_code_blocks_are_closed_and_diagrams_begin_as_diagrams_do(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    fences = re.findall(r"^```(\w*)$", text, re.MULTILINE)
    assert [bool(language) for language in fences] == [True, False] * (len(fences) // 2)
    blocks = re.findall(r"^```mermaid\n(.*?)\n", text, re.MULTILINE)
    assert len(blocks) == fences.count("mermaid")
    assert set(blocks) <= set(DIAGRAMS)


def test_operators_find_every_error_of_a_dead_letter() -> None:
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    section = page.partition("## Dead letters")[2].partition("\n## ")[0]
    described = {
        code for row in re.findall(r"^\| (`.*?`) \|", section, re.MULTILINE) for code in row.split("`")[1::2]
    }
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "src/bo_worker").rglob("*.py"))
    refusals = re.findall(r'\b(?:Refusal\(|Refused\([\w.]+, )\s*"([a-z_]+)"', sources)
    assert described == {*get_args(ErrorCode), *refusals}


def test_every_scenario_of_the_benchmark_has_its_row() -> None:
    page = (ROOT / "docs/performance.md").read_text(encoding="utf-8")
    table = page.partition("| scenario |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| ([a-z]+) \|", table, re.MULTILINE) == sorted(SCENARIOS)
