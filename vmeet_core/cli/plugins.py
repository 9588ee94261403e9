"""``vmeet plugins``: what is installed, what it offers, and what was left out and why."""

import argparse
import json
from typing import Any

from vmeet_core.cli.common import FAULT, OK, Subparsers, add_command
from vmeet_core.plugins import Plugin, Registry, discover

DESCRIPTION = """\
List the installed plugins and the providers they offer. The names in the second
column are those that a preset of vmeet.toml can use.

A plugin that was left out is listed with the reason and the remedy, and the exit
code is then 1."""


def add_parser(subparsers: Subparsers) -> None:
    parser = add_command(subparsers, "plugins", "list the plugins, and why one was left out", DESCRIPTION)
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def run(args: argparse.Namespace) -> int:
    registry = discover()
    if args.json:
        print(json.dumps(as_json(registry), indent=2, ensure_ascii=False))
    else:
        print("\n".join(lines(registry)))
    return FAULT if registry.problems else OK


def lines(registry: Registry) -> list[str]:
    text = []
    for plugin in registry.plugins:
        text.append(f"{plugin.name} ({plugin.distribution} {plugin.version})")
        for kind, name in plugin.providers:
            provider = registry.get(kind, name)
            leaves = ", sends media to another machine" if provider.leaves_host else ""
            text.append(f"  {kind:18}{name:18}{provider.title} ({provider.licence}{leaves})")
        if not plugin.providers:
            text.append("  offers nothing")
    if registry.problems:
        text += ["", "Left out:", *map(str, registry.problems)]
    return text


def as_json(registry: Registry) -> dict[str, Any]:
    """``{"plugins": [...], "problems": [...]}``."""
    return {
        "plugins": [_plugin(plugin, registry) for plugin in registry.plugins],
        "problems": [problem._asdict() for problem in registry.problems],
    }


def _plugin(plugin: Plugin, registry: Registry) -> dict[str, Any]:
    providers = []
    for kind, name in plugin.providers:
        provider = registry.get(kind, name)
        facts = {key: getattr(provider, key) for key in ("name", "title", "licence", "version", "leaves_host")}
        facts["weights"] = [weight.name for weight in provider.weights]
        facts["options_schema"] = provider.options.model_json_schema()
        facts["server_settings_schema"] = provider.server_settings.model_json_schema()
        providers.append({"kind": kind, **facts})
    return {**plugin._asdict(), "providers": providers}
