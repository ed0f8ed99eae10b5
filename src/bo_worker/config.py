"""Settings from the environment: read once at the start, checked as a whole, passed on as one value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    FilePath,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from bo_worker.setting_texts import PREFIX, default_text, expected, shown, variable_of, with_guess
from bo_worker.setting_values import long_secret, lower, not_zero, postgres_url, servers, upper

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydantic_core import ErrorDetails

_TEST_PREFIX = "BO_TEST_"
_KIB = 1024
_MIB = 1024 * _KIB


class ConfigurationError(Exception):
    """A wrong setting; the text has one line per fault and shows no secret."""


class SettingRow(NamedTuple):
    """One row of the settings table in the README."""

    variable: str
    default: str
    expected: str
    description: str


class Settings(BaseSettings):
    """All settings of the worker; an empty variable counts as not set."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True, hide_input_in_errors=True
    )

    kafka_bootstrap_servers: Annotated[str, AfterValidator(servers)] = Field(
        "localhost:9092", description="Kafka brokers to ask first, separated by commas."
    )
    database_url: Annotated[SecretStr, AfterValidator(postgres_url)] = Field(
        SecretStr("postgresql://localhost:5432/bo_worker"), description="Postgres database of the worker."
    )
    kafka_group_id: str = Field(
        "bo-worker", min_length=1, max_length=200, description="Consumer group that shares the partitions."
    )
    topic_prefix: str = Field(
        "", pattern=r"^[A-Za-z0-9._-]*$", max_length=150, description="Put before every topic name."
    )
    http_host: str = Field("0.0.0.0", min_length=1, description="Address of /livez, /readyz and /metrics.")  # noqa: S104 - probes come from outside the container
    http_port: int = Field(8080, ge=0, le=65535, description="Port of the same; 0 takes a free one.")
    log_format: Annotated[Literal["json", "console"], BeforeValidator(lower)] = Field(
        "json", description="Log lines for machines or for people."
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(lower)] = Field(
        "info", description="The least severe log lines that are written."
    )
    kafka_security_protocol: Annotated[
        Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"], BeforeValidator(upper)
    ] = Field("PLAINTEXT", description="How the connection to Kafka is protected.")
    kafka_sasl_mechanism: Annotated[
        Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None, BeforeValidator(upper)
    ] = Field(None, description="How the worker proves who it is; needed with SASL.")
    kafka_sasl_username: str | None = Field(None, description="User name; needed with SASL.")
    kafka_sasl_password: SecretStr | None = Field(None, description="Password; needed with SASL.")
    kafka_ssl_ca_file: FilePath | None = Field(
        None, description="Certificates to trust (PEM); without it those of the system."
    )
    kafka_ssl_cert_file: FilePath | None = Field(None, description="The worker's own certificate (PEM).")
    kafka_ssl_key_file: FilePath | None = Field(
        None, description="Private key of that certificate (PEM), where the certificate file lacks it."
    )
    rank_by: Annotated[Literal["placed_at", "need_by"], BeforeValidator(lower)] = Field(
        "placed_at", description="Who is served first among orders of one priority."
    )
    batch_records_max: int = Field(10_000, ge=1, le=20_000, description="Messages in one transaction.")
    batch_bytes_max: int = Field(
        8 * _MIB, ge=64 * _KIB, le=256 * _MIB, description="Bytes of messages in one transaction."
    )
    queue_bytes_max: int = Field(
        32 * _MIB, ge=64 * _KIB, le=1024 * _MIB, description="Bytes fetched ahead; at least one batch."
    )
    message_bytes_max: int = Field(_MIB, ge=_KIB, le=16 * _MIB, description="Larger messages are dead-lettered.")
    fill_lines_max: int = Field(5000, ge=10, le=100_000, description="Waiting lines served in one transaction.")
    publish_bytes_max: int = Field(
        4 * _MIB, ge=64 * _KIB, le=64 * _MIB, description="Bytes of the outbox published in one round."
    )
    kafka_session_timeout_s: float = Field(
        30, ge=6, le=300, description="Silence after which the group gives a worker's partitions to others."
    )
    kafka_request_timeout_s: float = Field(20, ge=1, le=300, description="Wait for an answer of Kafka.")
    database_connect_timeout_s: float = Field(5, ge=0.1, le=300, description="Wait for a connection.")
    database_statement_timeout_s: float = Field(60, ge=1, le=3600, description="Longest single statement.")
    database_lock_timeout_s: float = Field(10, ge=0.1, le=3600, description="Longest wait for a row lock.")
    startup_wait_s: float = Field(30, ge=0, le=600, description="How long a start waits for Kafka and Postgres.")
    shutdown_deadline_s: float = Field(
        25, ge=1, le=600, description="How long a stop may take to finish the batch and to flush."
    )
    retry_wait_max_s: float = Field(5, ge=0.1, le=60, description="Longest pause between two attempts.")
    relay_poll_s: float = Field(
        0.02, ge=0.001, le=10, description="How often a relay looks for rows that other workers committed."
    )
    relay_process: Annotated[Literal["own", "shared"], BeforeValidator(lower)] = Field(
        "own", description="Whether the relay has a process of its own (on Linux), or shares the worker's."
    )
    unfinished_poll_s: float = Field(
        1, ge=0.01, le=60, description="How often a worker looks for large receipts to go on with."
    )
    promise_level: float = Field(0.9, ge=0.5, le=0.99, description="Share of promised dates that shall hold.")
    supplier_delay_days: int = Field(0, ge=0, le=365, description="Days a little-known supplier may be late.")
    own_deliveries_min: int = Field(20, ge=1, le=200, description="Deliveries of one SKU that speak for themselves.")
    promise_moved_days: int = Field(1, ge=1, le=365, description="Days a promise moves before a customer is told.")
    cross_dock_orders_max: int = Field(
        0, ge=0, le=100_000, description="Orders a receipt may send from the dock; 0: all."
    )
    cross_dock_share_min: float = Field(0, ge=0, le=1, description="Least share of a line that leaves from the dock.")
    cross_dock_hours_min: int = Field(
        0,
        ge=0,
        le=8760,
        description="Least time from arrival to an order's `need_by` to leave from the dock; 0: any.",
    )
    cross_dock_hours_max: int = Field(0, ge=0, le=8760, description="Longest time from arrival to `need_by`; 0: any.")
    cross_dock_shelf_days_min: int = Field(
        0, ge=0, le=3650, description="Days a lot must last from the receipt on to leave from the dock; 0: any."
    )
    token_secret: Annotated[SecretStr | None, AfterValidator(long_secret)] = Field(
        None, description="Signs the tokens of delay notices; without it the workers share one in the database."
    )
    notice_days: int = Field(
        3, ge=0, le=30, description="Days before an agreed day on which a customer hears that no date is known."
    )
    respond_days: int = Field(5, ge=1, le=30, description="Working days for an answer to a delay notice.")
    silence: Annotated[Literal["law", "cancel"], BeforeValidator(lower)] = Field(
        "law", description="What no answer to a delay notice means: what the rule of the country says, or to cancel."
    )
    compensation_from_notice: int = Field(
        0, ge=0, le=100, description="Notice of a delay from which on compensation is offered; 0: none."
    )
    compensation_from_days: int = Field(
        0, ge=0, le=3650, description="Days after the first promise from which on it is offered; 0: none."
    )
    on_track_days: int = Field(
        0, ge=0, le=3650, description="How often customers hear that their day holds, in days; 0: never."
    )
    consolidate_days: int = Field(
        0, ge=0, le=365, description="Days that units wait for the rest of their order to leave with it; 0: none."
    )
    payment_authorize: Annotated[Literal["expiry", "shipment"], BeforeValidator(lower)] = Field(
        "expiry", description="Renew payments before they run out, or when units could leave."
    )
    payment_renew_hours: int = Field(24, ge=1, le=720, description="Hours to renew a payment before it runs out.")
    payment_grace_hours: int = Field(72, ge=1, le=8760, description="Hours an unpaid order keeps its claims.")
    payment_cancel_days: int = Field(
        30, ge=0, le=365, description="Days until an unpaid order that lost its claims is cancelled; 0: it is not."
    )
    sweep_poll_s: float = Field(
        1, ge=0.01, le=3600, description="How often the leading sweep looks for what has become due."
    )
    topic_partitions: int = Field(6, ge=1, le=1000, description="Partitions of a topic it creates.")
    topic_replication_factor: Annotated[int, AfterValidator(not_zero)] = Field(
        -1, ge=-1, le=10, description="Replicas of a topic it creates; -1 is the broker's default."
    )
    dead_letter_replays_max: int = Field(3, ge=1, le=100, description="How often one dead letter may be replayed.")

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if faults := [*_faults_of_sizes(self), *_faults_of_security(self)]:
            raise ValueError("\n".join(faults))
        return self


def load_settings(**overrides: Any) -> Settings:
    """Read the environment; `overrides` win over it.

    Raises:
        ConfigurationError: Something is wrong; one line per fault.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        lines = [line for fault in error.errors() for line in _lines_of(fault)]
    raise ConfigurationError("\n".join(lines))


def unknown_variables(environ: Iterable[str]) -> list[str]:
    """Names with our prefix that no setting has (a typing mistake, most likely), with the nearest one."""
    known = {variable_of(name) for name in Settings.model_fields}
    names = sorted(name for name in environ if name.startswith(PREFIX) and not name.startswith(_TEST_PREFIX))
    return [with_guess(name, known) for name in names if name not in known]


def describe_settings() -> list[SettingRow]:
    """Every setting with its variable, default, range and meaning, in the order of declaration."""
    return [
        SettingRow(variable_of(name), default_text(field), _expected(name), field.description or "")
        for name, field in Settings.model_fields.items()
    ]


def _faults_of_sizes(settings: Settings) -> Iterator[str]:
    if settings.queue_bytes_max < settings.batch_bytes_max:
        yield (
            f"BO_QUEUE_BYTES_MAX: expected at least BO_BATCH_BYTES_MAX ({settings.batch_bytes_max}), "
            f"found {settings.queue_bytes_max}"
        )
    if 0 < settings.cross_dock_hours_max < settings.cross_dock_hours_min:
        yield (
            f"BO_CROSS_DOCK_HOURS_MAX: expected 0 or at least BO_CROSS_DOCK_HOURS_MIN "
            f"({settings.cross_dock_hours_min}), found {settings.cross_dock_hours_max}"
        )


def _faults_of_security(settings: Settings) -> Iterator[str]:
    """A credential that would not be used is a fault too: its owner believes the connection is protected."""
    protocol = settings.kafka_security_protocol
    for name in ("kafka_sasl_mechanism", "kafka_sasl_username", "kafka_sasl_password"):
        yield from _fault_of_use(settings, name, used=protocol.startswith("SASL"), needed=True)
    for name in ("kafka_ssl_ca_file", "kafka_ssl_cert_file", "kafka_ssl_key_file"):
        yield from _fault_of_use(settings, name, used=protocol.endswith("SSL"), needed=False)
    if settings.kafka_ssl_key_file and not settings.kafka_ssl_cert_file:
        yield "BO_KAFKA_SSL_CERT_FILE: expected a file, as BO_KAFKA_SSL_KEY_FILE is set, found nothing"


def _fault_of_use(settings: Settings, name: str, *, used: bool, needed: bool) -> Iterator[str]:
    value, protocol = getattr(settings, name), settings.kafka_security_protocol
    if used and needed and value is None:
        yield (
            f"{variable_of(name)}: expected {_expected(name)} with "
            f"BO_KAFKA_SECURITY_PROTOCOL={protocol}, found nothing"
        )
    if not used and value is not None:
        yield (
            f"{variable_of(name)}: expected nothing with BO_KAFKA_SECURITY_PROTOCOL={protocol}, "
            f"found {_shown(name, value)}"
        )


def _lines_of(fault: ErrorDetails) -> list[str]:
    if not fault["loc"]:
        return str(fault["ctx"]["error"]).splitlines()
    name = str(fault["loc"][0])
    if name not in Settings.model_fields:
        return [f"{name}: expected the name of a setting"]
    return [f"{variable_of(name)}: expected {_expected(name)}, found {_shown(name, fault['input'])}"]


def _expected(name: str) -> str:
    return expected(name, Settings.model_fields[name])


def _shown(name: str, value: object) -> str:
    return shown(Settings.model_fields[name], value)
