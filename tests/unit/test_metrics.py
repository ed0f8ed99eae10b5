"""Metrics belong to one worker, use base units, and forget partitions that are not ours any more."""

from __future__ import annotations

from bo_worker.observability.metrics import PHASES, UNIT_KINDS, Metrics

UNITS = ("_total", "_seconds", "_records", "_rows", "_owned", "_fills", "_leader")
FORBIDDEN_LABELS = {"sku", "order_id", "customer_id", "key"}


def test_two_workers_in_one_process_do_not_share_metrics() -> None:
    one, other = Metrics(), Metrics()
    one.records_consumed.labels("order-created").inc(3)
    name, labels = "bo_worker_records_consumed_total", {"topic": "order-created"}
    assert one.registry.get_sample_value(name, labels) == 3
    assert other.registry.get_sample_value(name, labels) is None


def test_series_with_known_labels_exist_from_the_start() -> None:
    registry = Metrics().registry
    assert {registry.get_sample_value("bo_worker_phase_seconds_total", {"phase": p}) for p in PHASES} == {0}
    assert {registry.get_sample_value("bo_worker_units_total", {"kind": kind}) for kind in UNIT_KINDS} == {0}


def test_the_first_dead_letter_of_a_topic_shows_as_an_increase() -> None:
    metrics = Metrics()
    metrics.show_topics(["order-created"])
    labels = {"topic": "order-created", "outcome": "dead_lettered"}
    assert metrics.registry.get_sample_value("bo_worker_commands_total", labels) == 0


def test_the_lag_of_partitions_that_went_to_others_is_forgotten() -> None:
    metrics = Metrics()
    metrics.show_lag({("order-created", 0): (10, 1.5), ("order-created", 1): (0, 0)})
    metrics.show_lag({("order-created", 1): (7, 0.5)})
    samples = {
        (sample.name, sample.labels["partition"]): sample.value
        for family in metrics.registry.collect()
        if family.name.startswith("bo_worker_lag_")
        for sample in family.samples
    }
    assert samples == {("bo_worker_lag_records", "1"): 7, ("bo_worker_lag_seconds", "1"): 0.5}
    assert metrics.registry.get_sample_value("bo_worker_partitions_owned") == 1


def test_names_end_in_a_unit_and_no_label_names_a_product_or_an_order() -> None:
    metrics = Metrics()
    for family in metrics.registry.collect():
        if not family.name.startswith("process_"):
            name = family.name + ("_total" if family.type == "counter" else "")
            assert name.startswith("bo_worker_")
            assert name.endswith(UNITS), name
            assert family.documentation.endswith("."), name
    labels = {label for metric in vars(metrics).values() for label in getattr(metric, "_labelnames", ())}
    assert labels & FORBIDDEN_LABELS == set()
