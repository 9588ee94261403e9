"""``vmeet serve``: check everything, then run the server until Ctrl-C."""

import argparse

from vmeet_core.cli.common import OK, Subparsers, add_command, checked_settings
from vmeet_core.settings import with_bind

DESCRIPTION = """\
Start the VMeet server and print the address to open in a browser.

The settings, the plugins and the weights are checked first: whatever is wrong is
listed, each with its remedy, and the server does not start. Ctrl-C stops it."""


def add_parser(subparsers: Subparsers) -> None:
    parser = add_command(subparsers, "serve", "start the server", DESCRIPTION)
    parser.add_argument(
        "--bind",
        metavar="HOST:PORT",
        help="listen here instead of where the settings say; 0.0.0.0:8080 is every network of this machine",
    )


def run(args: argparse.Namespace) -> int:
    settings, registry = checked_settings(args)
    from vmeet_core.server.app import run as run_server  # the other commands need none of it

    run_server(with_bind(settings, args.bind) if args.bind else settings, registry)
    return OK
