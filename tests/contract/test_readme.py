"""What the README shows of the code is what the code says. Run as a program, this writes the settings anew."""

from __future__ import annotations

import re
from pathlib import Path

from bo_worker.config import describe_settings
from bo_worker.messages.inbound import INPUT_TOPICS

README = Path(__file__).parents[2] / "README.md"
BEGIN, END = "<!-- settings: begin -->\n", "<!-- settings: end -->"


def settings_table() -> str:
    rows = [
        f"| `{row.variable}` | {row.default and f'`{row.default}`'} | {row.expected} | {row.description} |"
        for row in describe_settings()
    ]
    return "\n".join(["| variable | default | expected | what it is |", "| --- | --- | --- | --- |", *rows, ""])


def with_settings(text: str) -> str:
    before, _, rest = text.partition(BEGIN)
    return before + BEGIN + settings_table() + END + rest.partition(END)[2]


def test_the_table_of_settings_is_that_of_the_code() -> None:
    text = README.read_text(encoding="utf-8")
    assert text == with_settings(text)


def test_the_topics_in_are_those_of_the_code() -> None:
    text = README.read_text(encoding="utf-8")
    table = text[text.index("| topic in | key |") : text.index("| topic out | key |")]
    assert set(re.findall(r"^\| `([a-z-]+)`", table, re.MULTILINE)) == set(INPUT_TOPICS)


def test_the_example_of_a_subscriber_is_python() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    compile(example, "README.md", "exec")
    assert len([line for line in example.splitlines() if line]) <= 20


if __name__ == "__main__":
    README.write_text(with_settings(README.read_text(encoding="utf-8")), encoding="utf-8")
