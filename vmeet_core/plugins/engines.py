"""What a provider gets from the core, and the engine it loads."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vmeet_core.color import Plane
from vmeet_core.hookspecs import Host, Permanent
from vmeet_core.plugins.checks import allowed, weight_store
from vmeet_core.plugins.registry import Registry, UnknownProvider
from vmeet_core.plugins.server_settings import server_settings_of
from vmeet_core.settings import Kind, Settings

Count = Callable[[str, float], None]
Pictures = Callable[[str], Plane]


def no_picture(name: str) -> Plane:
    """For processes that have none: a ``Pictures`` that raises ValueError whatever the name."""
    raise ValueError(f"there is no picture {name!r}: this process knows none")


def make_host(
    settings: Settings, label: str, temp_dir: Path, count: Count | None = None, picture: Pictures = no_picture
) -> Host:
    """The machine as the provider ``label`` (such as ``denoisers.dtln``) sees it; metrics go to ``count``.

    ``picture`` gives the backgrounds: it is what ``vmeet_core.effects`` has, which this room may not enter.
    """
    logger = logging.getLogger(f"vmeet.plugin.{label}")
    store = weight_store(settings)
    return Host(
        device=settings.pipeline.device,
        weights_dir=settings.weights.dir,
        temp_dir=temp_dir,
        logger=logger,
        count=count or (lambda metric, amount: logger.debug("%s += %g", metric, amount)),
        weight_path=store.path,
        picture=picture,
    )


def load_provider(
    settings: Settings, registry: Registry, kind: Kind, name: str, temp_dir: Path, picture: Pictures = no_picture
) -> Any:
    """The loaded Engine. Slow. Raises Permanent for a name, a setting or a permission that does not fit."""
    try:
        provider = registry.get(kind, name)
    except UnknownProvider as error:
        raise Permanent(str(error)) from None
    refused = allowed(settings, provider)
    if refused:
        raise Permanent(refused)
    host = make_host(settings, f"{kind}.{name}", temp_dir, picture=picture)
    return provider.load(server_settings_of(settings, kind, provider), host)
