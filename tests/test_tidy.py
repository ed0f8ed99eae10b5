"""House rules that no linter knows: sizes, names, words, and that what the documents say is all there is."""

from __future__ import annotations

import ast
import re
import statistics
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from bo_worker.config import describe_settings
from bo_worker.store.queries import QUERIES

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
FOLDERS = ("src", "tests", "benchmarks", "docs", "deploy", "schemas", ".ci")
ROOT_FILES = ("README.md", "CHANGELOG.md", "Makefile", "pyproject.toml")
TEXTS = {".py", ".sql", ".md", ".toml", ".json", ".yaml", ".yml", ".sh", ".txt", ""}

# A test module is a list of stories, which may be longer than a module that has to be understood as a whole.
MODULE_LINES_MAX = {"src": 300, "benchmarks": 300, "tests": 400}
FUNCTION_LINES_MAX = 50
MOST_FUNCTIONS_LINES_MAX = 30
MEDIAN_FUNCTION_LINES_MAX = 8

VAGUE = {"util", "utils", "helper", "helpers", "common", "misc", "manager", "data", "info"}
TALKATIVE = ("cli", "demo", "bench", "stack")
HOSTS = {
    "127.0.0.1",
    "localhost",
    "cloudevents.io",
    "creativecommons.org",
    "doi.org",
    "example.com",
    "www.example.com",
    "json-schema.org",
    "keepachangelog.com",
    "semver.org",
    "www.asyncapi.com",
    "www.postgresql.org",
    "www.rfc-editor.org",
    "www.w3.org",
}
# Constants and types; what is built once and does not change: the log, groups of commands, decorators of tests.
CONSTANT = re.compile(r"_?[A-Z][A-Za-z0-9_]*|__\w+__")
BUILT_ONCE = ("structlog.get_logger(", "typer.Typer(", "pytest.mark.", "settings(")


class Function(NamedTuple):
    """A function and where it stands."""

    path: Path
    node: ast.FunctionDef | ast.AsyncFunctionDef

    @property
    def lines(self) -> int:
        return (self.node.end_lineno or 0) - self.node.lineno + 1

    def __str__(self) -> str:
        return f"{named(self.path)}:{self.node.lineno} {self.node.name}"


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def files() -> list[Path]:
    """Every text of the project that people write."""
    found = [ROOT / name for name in ROOT_FILES if (ROOT / name).exists()]
    for folder in FOLDERS:
        found += [path for path in sorted((ROOT / folder).rglob("*")) if path.is_file() and path.suffix in TEXTS]
    return [path for path in found if "__pycache__" not in path.parts]


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(text_of(path))


@cache
def nodes_of(path: Path) -> list[ast.AST]:
    return list(ast.walk(tree_of(path)))


def modules(*folders: str) -> list[Path]:
    """The Python modules below folders of the project."""
    return [path for path in files() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in folders]


def functions(*folders: str) -> Iterator[Function]:
    for path in modules(*folders):
        for node in nodes_of(path):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield Function(path, node)


def lines_with(pattern: str, *, unless: str = "$^", suffix: str = "") -> list[str]:
    """The places where a pattern stands in a text of the project; this file is about the patterns."""
    return [
        f"{named(path)}:{number}: {line.strip()}"
        for path in files()
        if path != Path(__file__) and path.name.endswith(suffix) and re.search(pattern, text_of(path))
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if re.search(pattern, line) and not re.search(unless, line)
    ]


@pytest.mark.parametrize("folders", [("src", "benchmarks"), ("tests",)], ids=str)
def test_functions_are_short(folders: tuple[str, ...]) -> None:
    found = list(functions(*folders))
    lengths = sorted(function.lines for function in found)
    assert [str(function) for function in found if function.lines > FUNCTION_LINES_MAX] == []
    assert lengths[int(0.95 * len(lengths))] <= MOST_FUNCTIONS_LINES_MAX
    assert statistics.median(lengths) <= MEDIAN_FUNCTION_LINES_MAX


@pytest.mark.parametrize("folder", ["src", "tests", "benchmarks"])
def test_modules_are_short(folder: str) -> None:
    sizes = {named(path): len(text_of(path).splitlines()) for path in modules(folder)}
    assert {name: size for name, size in sizes.items() if size > MODULE_LINES_MAX[folder]} == {}


def test_every_module_says_in_a_sentence_what_it_is_for() -> None:
    sentences = {path: ast.get_docstring(tree_of(path)) or "" for path in modules("src", "tests", "benchmarks")}
    assert [named(path) for path, text in sentences.items() if not re.match(r"[^\n]{15,}[.?]", text)] == []


def test_no_module_has_a_name_that_could_mean_anything() -> None:
    assert [named(path) for path in files() if not VAGUE.isdisjoint({path.stem, *path.parts})] == []


def test_the_core_names_no_other_module_of_the_worker() -> None:
    """Import-linter sees imports; a name in a string would escape it."""
    assert [line for line in lines_with(r"bo_worker\.(?!domain)\w") if line.startswith("src/bo_worker/domain/")] == []


def test_nothing_depends_on_the_machine_it_was_written_on() -> None:
    folders = ("home", "root", "Users", "work", "mnt", "opt/homebrew")
    own = "|".join([*(f"/{folder}/" for folder in folders), re.escape(str(ROOT))])
    # In the image, root's cache is where the mount puts it.
    assert lines_with(rf"(?<![\w.$}}])(?:{own})", unless=r"--mount=type=cache") == []


def test_relative_paths_stay_in_the_project() -> None:
    astray = [
        f"{named(path)}: {step}"
        for path in files()
        for step in re.findall(r"(?:\.\./)+[\w./-]*", text_of(path))
        if path != Path(__file__) and not (path.parent / step).resolve().is_relative_to(ROOT)
    ]
    assert astray == []


def test_links_between_documents_lead_somewhere() -> None:
    broken = [
        f"{named(path)}: {target}"
        for path in files()
        if path.suffix == ".md"
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text_of(path))
        if not (path.parent / target).exists()
    ]
    assert broken == []


def test_every_address_is_of_a_host_that_readers_know() -> None:
    """A place to get packages from is the business of whoever installs them."""
    found = {host for path in files() for host in re.findall(r"https?://([a-z0-9][a-z0-9.-]*)", text_of(path))}
    assert found - HOSTS == set()


def test_nothing_is_left_to_be_done_later_in_a_comment() -> None:
    assert lines_with(r"\b(?:TODO|FIXME|XXX|HACK)\b") == []


def test_every_exception_from_a_rule_has_its_reason() -> None:
    exception = r"#\s*(?:noqa|type:\s*ignore)"
    reasoned = r"# noqa: [A-Z0-9, ]+ - \w+|# type: ignore\[[a-z, -]+\]  ?# \w+"
    assert lines_with(exception, unless=reasoned, suffix=".py") == []


def test_only_what_talks_to_people_prints() -> None:
    talking = [
        f"{named(path)}:{node.lineno}"
        for path in modules("src")
        if path.relative_to(ROOT / "src" / "bo_worker").parts[0] not in TALKATIVE
        for node in nodes_of(path)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert talking == []


def test_modules_keep_no_state() -> None:
    state = [
        f"{named(path)}:{node.lineno}"
        for path in modules("src", "tests", "benchmarks")
        for node in tree_of(path).body
        if isinstance(node, ast.Assign | ast.AnnAssign) and not is_constant(node)
    ]
    assert state == []


def is_constant(statement: ast.Assign | ast.AnnAssign) -> bool:
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    names = [node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)]
    return all(CONSTANT.fullmatch(name) for name in names) or (
        statement.value is not None and ast.unparse(statement.value).startswith(BUILT_ONCE)
    )


def test_units_are_called_quantity() -> None:
    """An amount is money: the price of a unit, and nothing else."""
    assert lines_with(r"(?i)(?:\b|_)qty(?:\b|_)", suffix=".py") == []
    money = re.compile(
        r"price|currency|payment|[Mm]oney|.amount.[]:]|amount: str|Amount\b|an? (?:number for an|negative|) ?amount"
    )
    assert [line for line in lines_with(r"(?i)(?:\b|_)amount", suffix=".py") if not money.search(line)] == []


def test_every_query_says_what_it_means() -> None:
    pattern = r"-- [A-Z][^\n]+(?:\n-- [^\n]+)*[.)?]\n(?!--)"
    assert [name for name, query in QUERIES.items() if not re.match(pattern, query)] == []


def test_every_migration_says_what_it_is_for() -> None:
    migrations = sorted((ROOT / "src").rglob("migrations/*.sql"))
    assert [path.name for path in migrations if not text_of(path).startswith("-- ")] == []
    assert [path.name[:4] for path in migrations] == [f"{number:04}" for number in range(1, len(migrations) + 1)]


def test_every_query_has_a_user_and_every_user_its_query() -> None:
    used: set[str] = set()
    asked: set[str] = set()
    for path in modules("src"):
        for node in nodes_of(path):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                used.add(node.value)
            if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == "QUERIES":
                asked |= {str(part.value) for part in ast.walk(node.slice) if isinstance(part, ast.Constant)}
    families = tuple(text for text in used if text.endswith("_") and len(text) > 3)
    unused = [
        name for name in QUERIES if name.removesuffix("_by_need_by") not in used and not name.startswith(families)
    ]
    assert unused == []
    assert sorted(asked - QUERIES.keys()) == []


def test_every_setting_is_documented() -> None:
    pages = "\n".join(text_of(path) for path in files() if path.suffix == ".md")
    assert [row.variable for row in describe_settings() if f"`{row.variable}`" not in pages] == []


def test_every_test_is_a_sentence_that_asserts_something() -> None:
    asserting = assertive_names()
    tests = [function for function in functions("tests") if function.node.name.startswith("test_")]
    assert [str(test) for test in tests if test.node.name.count("_") < 3] == []
    assert [str(test) for test in tests if not asserts(test, asserting)] == []


def asserts(test: Function, asserting: set[str]) -> bool:
    return not calls(test.node).isdisjoint(asserting)


def assertive_names() -> set[str]:
    """The functions of the tests that assert something themselves or by what they call."""
    called = [(function.node.name, calls(function.node)) for function in functions("tests")]
    names, size = {"assert", "raises", "warns"}, 0
    while size != len(names):
        size = len(names)
        names |= {name for name, found in called if not found.isdisjoint(names)}
    return names


@cache
def calls(node: ast.AST) -> frozenset[str]:
    """What a function calls, by the last part of each name; an assertion counts as a call."""
    found = set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.Assert):
            found.add("assert")
        if isinstance(inner, ast.Call):
            found.add(str(getattr(inner.func, "attr", getattr(inner.func, "id", ""))))
    return frozenset(found)


def test_no_test_replaces_a_part_of_the_worker_by_a_puppet() -> None:
    imported = [
        f"{named(path)}:{node.lineno}"
        for path in modules("tests")
        for node in nodes_of(path)
        if isinstance(node, ast.Import | ast.ImportFrom) and "mock" in ast.unparse(node)
    ]
    assert imported == []
