"""Finds the command files, parses the command line, runs one command, and turns errors into one line."""

import argparse
import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Sequence
from types import ModuleType

from vmeet_core import __version__
from vmeet_core.cli.common import FAULT, OK, CommandError, add_global_options
from vmeet_core.hookspecs import Permanent, Retryable
from vmeet_core.settings import SettingsError

COMMANDS = ("serve", "process", "plugins", "weights", "check", "compare", "doctor")
INTERRUPTED = 130  #: what shells call the exit code after Ctrl-C
DESCRIPTION = """\
VMeet: video meetings on your own machine, recorded and processed by plugins.

  vmeet serve           start the server, then open the address it prints
  vmeet doctor          look for anything that would keep it from working"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 0 for success, 1 for a failure, 2 for a wrong command line."""
    parser, commands = build_parser()
    args = parser.parse_args(argv)
    try:
        return int(commands[args.command].run(args))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output (head, less) has gone: no error, and nothing may be flushed to it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except Exception as error:
        if args.debug:
            traceback.print_exc()
        print(f"vmeet: {describe(error)}", file=sys.stderr)
        return FAULT


def describe(error: Exception) -> str:
    """The text for a person: our own errors speak for themselves, others need their type and a way to see more."""
    if isinstance(error, SettingsError | CommandError | Permanent | Retryable):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or type(error).__name__}: {error.strerror}"
    return f"{type(error).__name__}: {error} (add --debug to see where)"


def build_parser() -> tuple[argparse.ArgumentParser, dict[str, ModuleType]]:
    parser = argparse.ArgumentParser(
        prog="vmeet", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"vmeet {__version__}")
    add_global_options(parser, nested=False)
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    commands = {name: importlib.import_module(f"vmeet_core.cli.{name}") for name in COMMANDS if _exists(name)}
    for module in commands.values():
        module.add_parser(subparsers)
    for command in subparsers.choices.values():
        add_global_options(command, nested=True)
    return parser, commands


def _exists(name: str) -> bool:
    return importlib.util.find_spec(f"vmeet_core.cli.{name}") is not None
