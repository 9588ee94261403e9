"""What the commands share: their parsers, the error that ends one, and the settings they work with."""

import argparse
import os
from pathlib import Path
from typing import TypeAlias

from vmeet_core.plugins import Registry, discover, load_checked
from vmeet_core.settings import Settings, load_settings

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

OK, FAULT, USAGE = 0, 1, 2  #: exit codes


class CommandError(Exception):
    """Ends a command with exit code 1; the text is printed, without a traceback."""


def add_command(subparsers: Subparsers, name: str, summary: str, description: str) -> argparse.ArgumentParser:
    """A parser whose ``--help`` prints ``description`` as it is laid out."""
    return subparsers.add_parser(
        name, help=summary, description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )


def add_global_options(parser: argparse.ArgumentParser, nested: bool) -> None:
    """``--settings`` and ``--debug``; a nested parser leaves them unset, so that both positions work."""
    parser.add_argument(
        "--settings",
        metavar="FILE",
        type=Path,
        default=argparse.SUPPRESS if nested else None,
        help="the settings file (default: $VMEET_SETTINGS, else vmeet.toml in this folder if there is one)",
    )
    parser.add_argument(
        "--debug",
        action="store_true",
        default=argparse.SUPPRESS if nested else False,
        help="print the traceback of an error",
    )


def read_settings(args: argparse.Namespace) -> Settings:
    """The settings, not yet checked against the plugins. Raises SettingsError."""
    return load_settings(args.settings, os.environ)


def checked_settings(args: argparse.Namespace) -> tuple[Settings, Registry]:
    """The settings, checked against the installed plugins and weights. Raises SettingsError with every fault."""
    registry = discover()
    return load_checked(args.settings, os.environ, registry), registry
