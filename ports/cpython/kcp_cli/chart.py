"""The charts of `kcp sim`, drawn by matplotlib (the extra "charts").

Files are the same for the same runs: no date, no random names in an SVG.
"""

import os

from .errors import Failure

_POINTS = 150  # of a line: enough for the eye, and a small file
_LINE = {"linewidth": 1.6}
_FORMATS = (".svg", ".png")


def check_path(path):
    """Return a path that a chart can be written to; ValueError with a sentence if it cannot."""
    if os.path.splitext(path)[1].lower() not in _FORMATS:
        raise ValueError(f"A chart is an .svg or a .png, and {path!r} ends in neither.")
    return path


def library():
    """matplotlib; Failure that says how to get it."""
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError as missing:
        raise Failure(
            f"Charts need matplotlib ({missing}): pip install 'microkcp[charts]'"
        ) from None
    mpl.rcParams.update(
        {"svg.fonttype": "none", "svg.hashsalt": "kcp", "font.size": 9, "axes.grid": True,
         "grid.alpha": 0.3, "axes.spines.top": False, "axes.spines.right": False}
    )  # fmt: skip
    return Figure


def bulk(path, title, runs, rate_kbps):
    """What has arrived over time, and how long the link's queue was. runs: [(name, looks)]."""
    figure, (top, bottom) = _figure(title, 2)
    for name, looks in runs:
        slices = _bins(looks)
        done = [found[-1].n_bytes / 1e6 for _, found in slices]
        top.plot([t / 1000 for t, _ in slices], done, label=name, **_LINE)
        times, waits = _worst(looks, "queue_ms" if rate_kbps else "rtt_ms")
        bottom.plot([t / 1000 for t in times], waits, label=name, **_LINE)
    if rate_kbps:
        _draw_rate(top, rate_kbps, max(looks[-1].n_bytes for _, looks in runs) / 1e6)
    top.set_ylabel("delivered, MB")
    bottom.set_ylabel("wait in the queue, ms" if rate_kbps else "round trip, ms")
    bottom.set_xlabel("time, s")
    _save(figure, (top, bottom), path)


def _draw_rate(axes, rate_kbps, megabytes):
    """What a full link would carry."""
    label = f"the link: {rate_kbps / 1000:g} Mbit/s"
    style = {"color": "0.6", "linestyle": "--", "linewidth": 1}
    axes.plot([0, megabytes * 8000 / rate_kbps], [0, megabytes], label=label, **style)


def echo(path, title, runs):
    """How many of the messages were back in so many ms. runs: [(name, round trips, sorted)]."""
    figure, (axes,) = _figure(title, 1)
    for name, trips in runs:
        n = len(trips)
        places = sorted({*range(0, n, max(1, n // _POINTS)), *range(n * 95 // 100, n)})
        axes.plot([trips[i] for i in places], [100 * (i + 1) / n for i in places], label=name,
                  **_LINE)  # fmt: skip
    axes.set_ylabel("messages back, %")
    axes.set_xlabel("round trip, ms")
    axes.set_xlim(left=0)
    _save(figure, (axes,), path)


def _figure(title, n_panels):
    figure = library()(figsize=(7.2, 2.4 + 1.3 * n_panels), layout="constrained")
    figure.suptitle(title, fontsize=10)
    return figure, figure.subplots(n_panels, 1, sharex=True, squeeze=False)[:, 0]


def _save(figure, panels, path):
    for axes in panels:
        axes.set_ylim(bottom=0)
    if len(panels[0].lines) > 1:
        panels[0].legend(loc="best", frameon=False)
    is_svg = path.lower().endswith(".svg")
    figure.savefig(path, dpi=110, metadata={"Date": None} if is_svg else {"Software": None})


def _bins(looks):
    """Looks by slices of time: [(end of the slice in ms, its looks)], none empty."""
    end_ms = looks[-1].t_ms or 1
    slices = {}
    for look in looks:
        slices.setdefault(look.t_ms * (_POINTS - 1) // end_ms, []).append(look)
    return [(found[-1].t_ms, found) for _, found in sorted(slices.items())]


def _worst(looks, name):
    """(times in ms, the greatest value of each slice)."""
    slices = _bins(looks)
    return [t for t, _ in slices], [
        max(getattr(one, name) for one in found) for _, found in slices
    ]
