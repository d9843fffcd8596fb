"""`python -m kcp`: the command line, if it is installed."""

try:
    from kcp_cli import start
except ImportError:
    raise SystemExit("The command line is not installed: pip install 'microkcp[cli]'") from None
raise SystemExit(start())
