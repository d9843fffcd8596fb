"""What can go wrong, as exit codes. A user sees one sentence on stderr and no traceback."""

import click

#: Exit codes, as `kcp --help` states them. 2 is click's own.
OK, FAILED, USAGE, NO_ANSWER, INTERRUPTED, TERMINATED = 0, 1, 2, 3, 130, 143
#: Of `kcp doctor` besides.
REFUSED, OTHER_CRYPT = 4, 5


class Failure(click.ClickException):
    """The transfer failed, or a hash differs. The message is a whole sentence."""

    exit_code = FAILED


class NoAnswer(Failure):
    """The other end did not answer in time."""

    exit_code = NO_ANSWER
