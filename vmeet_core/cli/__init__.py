"""The command ``vmeet``. Each command is a file here with ``add_parser(subparsers)`` and ``run(args) -> int``."""

from vmeet_core.cli.command_line import main

__all__ = ["main"]
