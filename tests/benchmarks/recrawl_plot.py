"""Draws the comparison of the rules of recrawling: the share of versions caught against refetches, a panel a world."""

from collections.abc import Mapping
from pathlib import Path

from tests.benchmarks.recrawl_trial import Measured
from tests.benchmarks.recrawl_worlds import WORLDS

STYLES = {
    "oracle": ("#999999", "--", "", 1.5),
    "plan": ("#c0392b", "-", "o", 2.8),
    "index": ("#2471a3", "-", "s", 1.5),
    "geometric": ("#1e8449", "-", "^", 1.5),
    "nutch": ("#b7950b", "-", "v", 1.5),
    "stormcrawler": ("#7d3c98", "-", "D", 1.5),
    "fixed": ("#5d6d7e", "-", "x", 1.5),
}


def draw(means: Mapping[tuple[int, float, str], Measured], path: Path) -> None:
    """Write the plot of the means over seeds, by world, budget and rule, as a PNG file."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib.ticker import FixedLocator, NullLocator, PercentFormatter, ScalarFormatter

    figure, axes = plt.subplots(1, len(WORLDS), figsize=(12, 4.6), sharey=True, layout="constrained")
    for number, (world, axis) in enumerate(zip(WORLDS, axes, strict=True)):
        for name, (colour, line, marker, width) in STYLES.items():
            values = [value for key, value in sorted(means.items()) if key[0] == number and key[2] == name]
            axis.plot(
                [value.refetches for value in values],
                [value.caught for value in values],
                color=colour,
                linestyle=line,
                marker=marker,
                linewidth=width,
                markersize=5,
                label=name,
                zorder=3 if name == "plan" else 2,
            )
        axis.set_title(world.name)
        axis.set_xscale("log")
        axis.xaxis.set_major_locator(FixedLocator([2, 3, 4, 6, 8, 12]))
        axis.xaxis.set_minor_locator(NullLocator())
        axis.xaxis.set_major_formatter(ScalarFormatter())
        axis.set_xlim(2.1, 13.5)
        axis.grid(alpha=0.3)
        axis.set_xlabel("refetches an article")
    axes[0].set_ylabel("versions caught")
    axes[0].yaxis.set_major_formatter(PercentFormatter(1.0))
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(STYLES), frameon=False)
    figure.savefig(path, dpi=110)
    plt.close(figure)
