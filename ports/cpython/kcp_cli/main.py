"""The command `kcp`: its verbs, and how every error becomes one sentence and an exit code."""

import sys

import click

from .bench import bench
from .cat import cat
from .counters import stat
from .doctor import doctor
from .echo import echo
from .errors import INTERRUPTED, USAGE
from .recv import recv
from .send import send
from .sim import sim

_EPILOG = """\b
Begin with:  kcp recv                    on one machine, and
             kcp send FILE HOST:4000     on the other; 'kcp doctor HOST:4000' if nothing comes.
\b
Exit codes: 0 all went well; 1 it failed, or a hash differs; 2 wrong usage; 3 no answer in time;
130 interrupted by Ctrl-C; 143 terminated. Those of 'kcp doctor' are in its help.
"""


def _version(ctx, _param, wanted):
    if wanted and not ctx.resilient_parsing:
        import kcp

        click.echo(f"microkcp {kcp.__version__}")
        ctx.exit()


@click.group(
    epilog=_EPILOG,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 99},
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version,
              help="Show the version and exit.")  # fmt: skip
@click.pass_context
def cli(ctx):
    """Reliable streams over UDP: KCP, as kcp-go and kcptun speak it.

    Addresses are HOST:PORT, [IPV6]:PORT. The flags of kcptun keep their names and meaning.
    """
    if ctx.invoked_subcommand is None:
        raise click.UsageError("Which verb? One of " + ", ".join(sorted(cli.commands)) + ".", ctx)


for _verb in (send, recv, cat, echo, bench, doctor, stat, sim):
    cli.add_command(_verb)


def main(argv=None):
    """Run the command line (default: of this process) and return its exit code."""
    try:
        return cli.main(args=argv, prog_name="kcp", standalone_mode=False) or 0
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "kcp"
        _say(command, f"{error.format_message().rstrip('.')} (see '{command} --help')")
        return USAGE
    except click.ClickException as error:
        _say("kcp", error.format_message())
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        _say("kcp", "interrupted")
        return INTERRUPTED
    except SystemExit as end:  # SIGTERM
        return end.code


def _say(who, text):
    click.secho(f"{who}: {text}", fg="red", err=True)


if __name__ == "__main__":
    sys.exit(main())
