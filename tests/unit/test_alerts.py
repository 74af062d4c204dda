"""The alerts that come with the program name metrics that there are, in a file that Prometheus can read."""

import re
from pathlib import Path

from scheduler.metrics import CATALOGUE

ALERTS = Path(__file__).parents[2] / "deploy" / "alerts.yml"
_RULE = re.compile(r"^      - alert: (?P<name>Morgue[A-Z]\w+)\n(?P<rest>(?:        .*\n|\n)+)", re.MULTILINE)
_METRIC = re.compile(r"\bmorgue_\w+")
_SUFFIX = re.compile(r"_(?:bucket|count|sum)$")


def rules() -> dict[str, str]:
    """Return what stands under each alert."""
    return {rule["name"]: rule["rest"] for rule in _RULE.finditer(ALERTS.read_text())}


def test_the_file_is_of_the_shape_that_prometheus_reads():
    text = ALERTS.read_text()
    assert "\t" not in text
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert lines[:3] == ["groups:", "  - name: morgue", "    rules:"]
    assert text.count("- alert:") == len(rules()) == len(set(rules())) > 8
    for name, rest in rules().items():
        keys = re.findall(r"^        (\w+):", rest, re.MULTILINE)
        assert keys in (["expr", "labels", "annotations"], ["expr", "for", "labels", "annotations"]), name
        assert re.search(r"^          severity: (critical|warning)$", rest, re.MULTILINE), name
        # Texts in annotations hold colons and braces, which YAML would take for its own.
        for value in re.findall(r"^          (?:summary|description): (.*)$", rest, re.MULTILINE):
            assert re.fullmatch(r'"[^"\\]+"', value), name
        assert re.search(r"^          summary: ", rest, re.MULTILINE), name


def expressions() -> dict[str, str]:
    """Return the expression of each alert."""
    found = {}
    for name, rest in rules().items():
        expression = re.search(r"^        expr: (?:\|\n((?:          .*\n)+)|(.+)\n)", rest, re.MULTILINE)
        assert expression is not None, name
        found[name] = expression[1] or expression[2]
    return found


def test_every_metric_that_an_alert_names_is_there_with_its_labels():
    known = {one.name: one for one in CATALOGUE}
    for name, expression in expressions().items():
        assert expression.count("(") == expression.count(")"), name
        metrics = set(_METRIC.findall(expression))
        assert metrics or name == "MorgueDown"
        for metric in metrics:
            assert metric in known or known[_SUFFIX.sub("", metric)].kind == "histogram", (name, metric)
        labels = {label for metric in metrics for label in known[_SUFFIX.sub("", metric)].labels}
        used = set(re.findall(r"\$labels\.(\w+)", rules()[name]))
        assert used <= labels | {"instance"}, name


def test_no_alert_takes_a_source_that_is_polled_seldom_for_one_that_is_broken():
    assert "morgue_source_last_poll_timestamp_seconds" not in " ".join(expressions().values())
