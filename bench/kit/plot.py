# SPDX-License-Identifier: Apache-2.0
"""Pictures of a run: SVG, drawn by matplotlib, the same bytes for the same figures."""

import pathlib

OURS, OTHERS, INK, GRID = "#2f6f8f", "#b9a27a", "#2b2b2b", "#dddddd"


def load():
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update({
        "svg.hashsalt": "glassbell", "svg.fonttype": "none", "font.family": "sans-serif",
        "font.size": 9, "axes.edgecolor": GRID, "axes.labelcolor": INK, "text.color": INK,
        "xtick.color": INK, "ytick.color": INK, "axes.spines.top": False, "axes.spines.right": False,
    })
    import matplotlib.pyplot as pyplot

    return pyplot


def save(pyplot, figure, path):
    figure.savefig(path, format="svg", metadata={"Date": None}, bbox_inches="tight")
    pyplot.close(figure)
    print(f"plot: {path}")


def bars(pyplot, rows, names, title, path):
    """p50 as a bar, p95 and p99 as ticks, on a logarithmic axis: these figures span five decades."""
    names = [name for name in names if name in rows]
    if len(names) < 2:
        return
    figure, axes = pyplot.subplots(figsize=(7.2, 0.34 * len(names) + 1.0))
    for index, name in enumerate(reversed(names)):
        row = rows[name]
        axes.barh(index, row["p50"], color=OTHERS if row["group"] == "alternatives" else OURS, height=0.62)
        if row["n"] >= 20:
            axes.plot([row["p95"], row["p99"]], [index, index], "|", color=INK, markersize=9)
        end = row["p99"] if row["n"] >= 20 else row["p50"]
        figure_text = f" {row['p50']:,.0f}" if row["p50"] >= 100 else f" {row['p50']:.3g}"
        axes.annotate(figure_text, (max(row["p50"], end), index), va="center", fontsize=8)
    axes.set_yticks(range(len(names)), list(reversed(names)))
    axes.set_xscale("log")
    axes.set_xlabel(f"{rows[names[0]]['unit']}: bar p50, ticks p95 and p99")
    axes.set_title(title, loc="left", fontsize=10)
    axes.grid(axis="x", color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.margins(x=0.12)
    save(pyplot, figure, path)


def spread(pyplot, rows, names, title, path):
    """The share of calls that took at most so long: tails are seen, not averaged away."""
    names = [name for name in names if name in rows and rows[name]["n"] >= 20]
    if not names:
        return
    figure, axes = pyplot.subplots(figsize=(7.2, 3.2))
    for name in names:
        samples = sorted(rows[name]["samples"])
        axes.step(samples, [(i + 1) / len(samples) * 100 for i in range(len(samples))],
                  where="post", label=name, linewidth=1.3)
    axes.set_xscale("log")
    axes.set_xlabel("ms")
    axes.set_ylabel("% of calls done")
    axes.set_title(title, loc="left", fontsize=10)
    axes.grid(color=GRID, linewidth=0.6)
    axes.legend(frameon=False, fontsize=8)
    save(pyplot, figure, path)


OPENS = [
    "open cold, python", "open cold, javascript", "open cold, shell",
    "template alone: to the first result", "template, process waiting: to the first result",
    "pool: open and print(1)", "glassbell run -c 'print(1)', whole process",
    "python3 -c print(1), bare process", "python3 -c print(1), bubblewrap",
    "python3 -c print(1), container on our root", "IPython kernel: start to the first result",
]
EXECS = [
    "exec print(1), python", "exec echo 1, shell", "exec console.log(1), javascript",
    "first byte of streamed output", "pool.status (socket alone)", "IPython kernel: execute print(1)",
]


def draw(rows, folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    pyplot = load()
    bars(pyplot, rows, OPENS, "From nothing to the first result", folder / "open.svg")
    bars(pyplot, rows, EXECS, "A call in a session that is open", folder / "exec.svg")
    spread(pyplot, rows, EXECS[:3] + OPENS[3:7], "How the times spread", folder / "spread.svg")
