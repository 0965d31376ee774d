"""The table of all metrics for README.md: `python -m gatewayd.metrics.readme`."""

import sys

from gatewayd.metrics.catalogue import METRICS


def table() -> str:
    """Every metric in its order, as Markdown."""
    rows = [
        f"| `{metric.name}` | {metric.kind} | {' '.join(metric.labels)} | {metric.help} |"
        for metric in METRICS
    ]
    return "\n".join(("| metric | type | labels | |", "|---|---|---|---|", *rows))


if __name__ == "__main__":
    sys.stdout.write(f"{table()}\n")
