"""Settings come from the environment, are checked as a whole, and wrong ones are told in one line each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from bo_worker.config import (
    ConfigurationError,
    Settings,
    describe_settings,
    load_settings,
    unknown_variables,
)
from bo_worker.setting_texts import variable_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Settings.model_fields:
        monkeypatch.delenv(variable_of(field), raising=False)


def faults_of(monkeypatch: pytest.MonkeyPatch, **variables: str) -> list[str]:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    return str(caught.value).splitlines()


def test_without_variables_the_defaults_hold() -> None:
    settings = load_settings()
    assert settings == Settings.model_construct(
        kafka_bootstrap_servers="localhost:9092",
        database_url=SecretStr("postgresql://localhost:5432/bo_worker"),
    )
    assert (settings.kafka_group_id, settings.http_port, settings.log_format) == ("bo-worker", 8080, "json")


def test_variables_win_over_defaults_and_overrides_over_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BO_HTTP_PORT", "1234")
    monkeypatch.setenv("BO_LOG_LEVEL", "WARNING")
    settings = load_settings(kafka_group_id="other")
    assert (settings.http_port, settings.log_level, settings.kafka_group_id) == (1234, "warning", "other")


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BO_HTTP_PORT", "")
    assert load_settings().http_port == 8080


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("BO_HTTP_PORT", "abc", "a whole number from 0 to 65535"),
        ("BO_HTTP_PORT", "65536", "a whole number from 0 to 65535"),
        ("BO_RELAY_POLL_S", "0", "a number from 0.001 to 10"),
        ("BO_LOG_LEVEL", "loud", "debug or info or warning or error"),
        ("BO_RANK_BY", "fifo", "placed_at or need_by"),
        ("BO_TOPIC_PREFIX", "a b", "at most 150 characters from A-Z a-z 0-9 . _ -"),
        ("BO_KAFKA_BOOTSTRAP_SERVERS", "kafka", "host:port, several separated by commas"),
        ("BO_KAFKA_BOOTSTRAP_SERVERS", "kafka:9092,kafka:99092", "host:port, several separated by commas"),
        ("BO_KAFKA_BOOTSTRAP_SERVERS", "kafka:0", "host:port, several separated by commas"),
        ("BO_KAFKA_SSL_CA_FILE", "/nowhere.pem", "the name of an existing file"),
        ("BO_TOPIC_REPLICATION_FACTOR", "0", "a whole number from 1 to 10, or -1"),
        ("BO_BATCH_RECORDS_MAX", "0", "a whole number from 1 to 20000"),
    ],
)
def test_a_fault_names_the_variable_what_was_expected_and_what_was_found(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, expected: str
) -> None:
    faults = faults_of(monkeypatch, **{variable: value})
    assert faults == [f"{variable}: expected {expected}, found {value!r}"]


def test_all_faults_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    faults = faults_of(monkeypatch, BO_HTTP_PORT="abc", BO_LOG_FORMAT="xml", BO_STARTUP_WAIT_S="-1")
    assert [fault.split(":")[0] for fault in faults] == ["BO_HTTP_PORT", "BO_LOG_FORMAT", "BO_STARTUP_WAIT_S"]


def test_a_wrong_database_url_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    faults = faults_of(monkeypatch, BO_DATABASE_URL="mysql://root:hunter2@db/x")
    assert faults == ["BO_DATABASE_URL: expected a URL that starts with postgresql:// or postgres://, found '***'"]


def test_secrets_are_not_in_the_text_of_the_settings() -> None:
    settings = load_settings(
        database_url="postgres://root:hunter2@db/x",
        kafka_security_protocol="sasl_ssl",
        kafka_sasl_mechanism="plain",
        kafka_sasl_username="worker",
        kafka_sasl_password="hunter2",  # noqa: S106 - not a real one
    )
    assert "hunter2" not in f"{settings} {settings!r} {settings.model_dump()}"


def test_sasl_needs_mechanism_user_and_password(monkeypatch: pytest.MonkeyPatch) -> None:
    faults = faults_of(monkeypatch, BO_KAFKA_SECURITY_PROTOCOL="SASL_SSL", BO_KAFKA_SASL_USERNAME="worker")
    assert faults == [
        (
            "BO_KAFKA_SASL_MECHANISM: expected PLAIN or SCRAM-SHA-256 or SCRAM-SHA-512 "
            "with BO_KAFKA_SECURITY_PROTOCOL=SASL_SSL, found nothing"
        ),
        "BO_KAFKA_SASL_PASSWORD: expected a text with BO_KAFKA_SECURITY_PROTOCOL=SASL_SSL, found nothing",
    ]


def test_a_credential_that_would_not_be_used_is_a_fault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.touch()
    password = {"BO_KAFKA_SASL_PASSWORD": "hunter2"}
    faults = faults_of(monkeypatch, **password, BO_KAFKA_SSL_KEY_FILE=str(file))
    plain = "expected nothing with BO_KAFKA_SECURITY_PROTOCOL=PLAINTEXT"
    assert faults == [
        f"BO_KAFKA_SASL_PASSWORD: {plain}, found '***'",
        f"BO_KAFKA_SSL_KEY_FILE: {plain}, found '{file}'",
        "BO_KAFKA_SSL_CERT_FILE: expected a file, as BO_KAFKA_SSL_KEY_FILE is set, found nothing",
    ]


def test_the_queue_holds_at_least_one_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    assert faults_of(monkeypatch, BO_QUEUE_BYTES_MAX="70000") == [
        "BO_QUEUE_BYTES_MAX: expected at least BO_BATCH_BYTES_MAX (8388608), found 70000"
    ]


def test_an_unknown_override_is_a_fault() -> None:
    with pytest.raises(ConfigurationError, match=r"^htp_port: expected the name of a setting$"):
        load_settings(htp_port=1)


def test_unknown_variables_are_listed_with_the_nearest_known_name() -> None:
    environment = ["PATH", "BO_HTTP_PORT", "BO_HTP_PORT", "BO_SOMETHING_ELSE", "BO_TEST_KAFKA"]
    assert unknown_variables(environment) == [
        "BO_HTP_PORT (did you mean BO_HTTP_PORT?)",
        "BO_SOMETHING_ELSE",
    ]


def test_every_setting_is_described_with_its_range() -> None:
    rows = describe_settings()
    assert [row.variable for row in rows] == [variable_of(name) for name in Settings.model_fields]
    for row in rows:
        assert re.fullmatch(r"[A-Z].+\.", row.description), row
        assert row.expected, row
        assert "BO_" + row.variable[3:].upper() == row.variable
