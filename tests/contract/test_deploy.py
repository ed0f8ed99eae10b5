"""The image and the compose file fit the code: users, versions, settings, commands, times."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer

from bo_worker.cli import app
from bo_worker.config import Settings, describe_settings, load_settings
from bo_worker.setting_texts import PREFIX
from bo_worker.stack.jars import KAFKA_VERSION
from bo_worker.store.database import MAJOR_VERSION_MIN

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text(encoding="utf-8")
COMPOSE = (ROOT / "deploy/compose.yaml").read_text(encoding="utf-8")
BUILD, LAST = DOCKERFILE.split("\nFROM ")[1:]
VARIABLE = re.compile(rf"\b{PREFIX}[A-Z_]*[A-Z]\b")


def default(setting: str) -> Any:
    return Settings.model_fields[setting].default


def service(name: str) -> str:
    """The lines of a service of the compose file."""
    found = re.search(rf"^  {name}:\n((?:    .*\n|\n)+)", COMPOSE, re.MULTILINE)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("text", [DOCKERFILE, COMPOSE], ids=["Dockerfile", "compose.yaml"])
def test_every_setting_that_is_named_exists(text: str) -> None:
    assert set(VARIABLE.findall(text)) <= {row.variable for row in describe_settings()}


@pytest.mark.parametrize("text", [DOCKERFILE, COMPOSE], ids=["Dockerfile", "compose.yaml"])
def test_images_are_named_with_their_version_and_without_a_registry(text: str) -> None:
    images = re.findall(r"^(?:FROM|    image:) (\S+)", text, re.MULTILINE)
    assert images
    assert all(re.fullmatch(r"([a-z]+/)?[a-z]+:[\w.-]+", image) for image in images)


def test_the_image_is_built_on_a_python_that_the_worker_supports() -> None:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    versions = re.findall(r"^FROM python:3\.(\d+)-slim", DOCKERFILE, re.MULTILINE)
    assert len(versions) == 2
    assert len(set(versions)) == 1
    assert int(versions[0]) >= int(project["requires-python"].removeprefix(">=3."))


def test_the_image_gets_pinned_packages_and_all_files_that_its_build_needs() -> None:
    assert "PIP_CONSTRAINT=constraints.txt" in BUILD
    needed = {name for names in re.findall(r"^COPY (.*) \S+$", BUILD, re.MULTILINE) for name in names.split()}
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert needed == {line.removeprefix("!") for line in ignored if line.startswith("!")}
    assert all((ROOT / name).exists() for name in needed)


def test_the_image_runs_the_worker_as_a_user_without_rights_and_without_compilers() -> None:
    assert re.findall(r"^USER (\S+)", DOCKERFILE, re.MULTILINE) == ["10001:10001"]
    assert LAST.index("USER ") > LAST.index("RUN ")
    assert not re.search(r"apt-get|gcc|build-essential|pip ", LAST)
    assert LAST.endswith('ENTRYPOINT ["bo-worker"]\nCMD ["run"]\n')
    assert re.search(r"^HEALTHCHECK .*\\\n +CMD \[.*/livez", LAST, re.MULTILINE)
    assert f"EXPOSE {default('http_port')}\n" in LAST


def test_the_settings_of_the_compose_file_are_right() -> None:
    found = re.findall(rf"^ +{PREFIX}([A-Z_]+): (.+)$", COMPOSE, re.MULTILINE)
    values = {name.lower(): re.sub(r"\$\{\w+:-(\w+)\}", r"\1", value.strip('"')) for name, value in found}
    settings = load_settings(**values)
    assert settings.kafka_bootstrap_servers == "kafka:9092"
    assert settings.database_url.get_secret_value() == "postgresql://bo_worker:bo_worker@postgres:5432/bo_worker"


def test_the_servers_of_the_compose_file_are_those_that_the_tests_run_on() -> None:
    assert f"image: apache/kafka:{KAFKA_VERSION}\n" in service("kafka")
    version = re.search(r"image: postgres:(\d+)", service("postgres"))
    assert version is not None
    assert int(version[1]) >= MAJOR_VERSION_MIN


@pytest.mark.parametrize("name", ["migrate", "topics"])
def test_what_must_be_there_is_made_before_the_workers_start(name: str) -> None:
    commands: Any = typer.main.get_command(app)
    assert re.findall(r'command: \["(\w+)"\]', service(name)) == [name]
    assert name in commands.commands
    assert f"{name}: {{condition: service_completed_successfully}}" in service("worker")


def test_a_worker_has_more_time_to_stop_than_it_takes_and_no_name_or_port_that_only_one_can_have() -> None:
    worker = service("worker")
    grace = re.search(r"stop_grace_period: (\d+)s", worker)
    assert grace is not None
    assert int(grace[1]) > default("shutdown_deadline_s")
    assert not re.search(r"container_name|hostname", worker)
    assert 'ports: ["127.0.0.1::8080"]' in worker
