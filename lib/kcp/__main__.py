"""`python -m kcp`: the command line, if it is installed."""

try:
    from kcp_cli.main import main
except ImportError as missing:
    raise SystemExit(f"The command line is not installed ({missing}): pip install 'microkcp[cli]'")
raise SystemExit(main())
