"""The command line of microkcp: `python -m kcp`, and the console script `kcp`.

main.py      the command, its verbs, and how an error becomes a sentence and an exit code
options.py   kcptun's flags                address.py   HOST:PORT
files.py     the file transfer protocol    send.py, recv.py   its two ends
incoming.py, parts.py   the receiver's file, and what is left of those that were cut off
doctor.py, examine.py, probes.py, echo_fec.py   what can be known about a peer from outside
sim.py, simulate.py, chart.py              settings tried on simulated links
bench.py, blocks.py, echoing.py            throughput, and the time of an echo
counters.py                                --stats, and `kcp stat`
echo.py, cat.py                            the other verbs
report.py    progress, summary, JSON       runner.py, stdio.py   signals, deadlines, pipes
"""


def start():
    """Run the command `kcp`; without its libraries say in one sentence how to get them."""
    try:
        from .main import main
    except ImportError as missing:
        raise SystemExit(
            f"The command line is not installed ({missing}): pip install 'microkcp[cli]'"
        ) from None
    return main()
