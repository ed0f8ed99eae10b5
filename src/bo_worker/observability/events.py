"""Every event that the worker logs, by name. A name that is not here may not be used; a test checks that."""

from __future__ import annotations

from typing import Final

EVENTS: Final = {
    # life of the process
    "worker_started": "The worker serves its partitions: version, group, HTTP port.",
    "worker_stopping": "A signal arrived; no further messages are read.",
    "worker_stopped": "Everything is flushed and closed.",
    "worker_crashed": "The worker can't go on and ends with exit code 1.",
    "shutdown_deadline_passed": "Something did not end in time and was abandoned.",
    "unknown_variable": "A variable with the prefix BO_ that no setting has.",
    "http_serving": "Health and metrics are served at this address.",
    # messages in
    "partitions_assigned": "The group gave these partitions to this worker.",
    "partitions_revoked": "The group took these partitions away.",
    "offset_outside_log": "A stored offset is not in the log: the worker stops rather than skip messages.",
    "read_retried": "Kafka or the database did not answer while reading; it is tried again.",
    "group_offsets_not_committed": "Lag tools see old offsets for a while; nothing else is touched.",
    # the work
    "batch_applied": "One batch: messages, outcomes, and the time spent in each phase.",
    "batch_retried": "A batch failed for a passing reason and is tried again.",
    "batch_dropped": "Another worker owns a partition of the batch, and applies it.",
    "message_parked": "A well-formed message that can't be applied was put aside.",
    "message_dead_lettered": "A message was put aside: where it stood and why.",
    "dead_letter_replayed": "A dead letter was sent back to its topic.",
    # what has become due
    "sweep_leading": "This worker looks for what has become due.",
    "sweep_retried": "The database did not answer the sweep, which stands back and tries again.",
    "sweep_job_done": "A job of the sweep changed something: messages and units.",
    "sweep_job_busy": "A job of the sweep met what others work on; it is tried again in the next round.",
    # messages out
    "relay_leading": "This worker publishes the outbox.",
    "relay_process_ended": "The process of the relay is gone: the worker publishes the outbox itself.",
    "relay_process_failed": "The process of the relay met what it did not foresee.",
    "relay_retried": "The database did not answer the relay, which stands back and tries again.",
    "publish_retried": "Kafka did not acknowledge the outbox; it is published again.",
    "message_unpublishable": "Kafka will never take a message of this size; it was published without its value.",
    # what must be there
    "gauges_not_measured": "The database did not answer; the gauges taken from it stand still.",
    "topic_differs": "A topic is not set up as it should be.",
    "migration_applied": "A migration of the database was applied.",
    # everything else
    "library_logged": "A line of a library, with its name and text.",
}
