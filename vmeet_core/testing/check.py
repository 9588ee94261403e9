"""Checks of a provider as plain functions: run by pytest through an abstract test class, or by ``vmeet check``."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import gettempdir
from typing import Any, Literal, NamedTuple

import numpy as np
from pydantic import ValidationError

from vmeet_core.color import Plane
from vmeet_core.hookspecs import Audio, Host, Options, Permanent, Provider, Weight


class Breach(AssertionError):
    """What a provider does against the contract, and what its author can do about it."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(f"{message} Remedy: {remedy}")
        self.message, self.remedy = message, remedy


def close_twice(closable: Any, label: str) -> None:
    """Raises Breach where that does harm."""
    try:
        closable.close()
        closable.close()
    except Exception as error:
        message = f"closing {label} twice raised {type(error).__name__}: {error}."
        raise Breach(message, "Let the second close() do nothing.") from error


@dataclass
class Subject:
    """A provider under test, with the machine it is given. Its engine is loaded once, when first asked for."""

    provider: Provider[Any]
    host: Host
    server_settings: Options | None = None  #: the defaults when None
    module: str = ""  #: what the entry point names; the module of the provider's class when empty
    #: (sample rate in Hz, seconds, seed) -> real speech for transcribers that hear none in ``speech_like``
    speech: Callable[[int, float, int], Audio] | None = None
    memory: dict[str, Any] = field(default_factory=dict, repr=False)  #: what checks of it need not compute twice

    @cached_property
    def engine(self) -> Any:
        """The loaded engine; raises whatever ``load`` raises."""
        return self.load()

    def load(self) -> Any:
        """One more engine."""
        settings = self.server_settings
        return self.provider.load(self.provider.server_settings() if settings is None else settings, self.host)

    def open(self) -> Any:
        """A new stream with the default options."""
        return self.engine.open(self.provider.options())

    def variants(self) -> list[Options]:
        """Options at the ends of every field, one field at a time, the other fields at their defaults."""
        fields = self.provider.options.model_json_schema().get("properties", {})
        found = []
        for name, schema in fields.items():
            ends = [schema[key] for key in ("minimum", "maximum") if key in schema]
            ends += schema.get("enum", []) + ([False, True] if schema.get("type") == "boolean" else [])
            found += [options for end in ends if (options := self._with(name, end)) is not None]
        return found

    def _with(self, name: str, value: Any) -> Options | None:
        try:
            return self.provider.options.model_validate({name: value})
        except ValidationError:  # fields may depend on one another
            return None

    def close(self) -> None:
        """Close the engine if it was loaded."""
        if "engine" in self.__dict__:
            self.engine.close()
            del self.engine


class Check(NamedTuple):
    """``run`` returns a detail worth showing (or ""), and raises Breach."""

    name: str
    title: str
    run: Callable[[Subject], str]
    needs_engine: bool = False


class Result(NamedTuple):
    """The outcome of one check of one provider."""

    provider: str
    check: str
    title: str
    state: Literal["passed", "failed", "skipped"]
    message: str
    remedy: str
    seconds: float

    def __str__(self) -> str:
        text = f"{self.state:8}{self.check}: {self.title}"
        if self.state == "failed":
            return f"{text}\n        {self.provider}: {self.message}\n        Remedy: {self.remedy}"
        return f"{text} ({self.message})" if self.message else text


def run_check(subject: Subject, check: Check) -> Result:
    """One check; whatever the provider raises is a failure of it."""
    started_s = time.perf_counter()
    state: Literal["passed", "failed"] = "failed"
    try:
        message, remedy, state = check.run(subject), "", "passed"
    except Breach as breach:
        message, remedy = breach.message, breach.remedy
    except Exception as error:
        message = f"it raised {type(error).__name__}: {error}"
        remedy = str(error) if isinstance(error, Permanent) else "catch it, or correct what it tells"
    name = str(getattr(subject.provider, "name", type(subject.provider).__name__))
    return Result(name, check.name, check.title, state, message, remedy, time.perf_counter() - started_s)


def run_checks(subject: Subject, checks: Iterable[Check]) -> Iterator[Result]:
    """All checks in turn; those that need an engine are skipped once it could not be loaded."""
    loads = True
    for check in checks:
        if check.needs_engine and not loads:
            yield Result(subject.provider.name, check.name, check.title, "skipped", "it did not load", "", 0.0)
            continue
        result = run_check(subject, check)
        loads = loads and not (check.name == "load" and result.state == "failed")
        yield result


def local_host(
    weight_path: Callable[[Weight], Path] | None = None,
    device: str = "cpu",
    picture: Callable[[str], Plane] | None = None,
) -> Host:
    """A host for tests: ``weight_path`` gives the file of a weight, and is not needed by a provider without any.

    ``picture`` gives the backgrounds; without one, whatever the name, it is the same slow gradient. A plugin that uses
    ``vmeet_core.effects`` may give ``vmeet_core.effects.pictures.built_in``.
    """
    temp_dir = Path(gettempdir())
    logger = logging.getLogger("vmeet.testing")
    return Host(
        device=device,
        weights_dir=temp_dir,
        temp_dir=temp_dir,
        logger=logger,
        count=lambda metric, amount: None,
        weight_path=weight_path or _no_weight,
        picture=picture or _any_picture,
    )


def _no_weight(weight: Weight) -> Path:
    raise Permanent(f"the weight {weight.name} is wanted, but this host was made without weights")


def _any_picture(name: str) -> Plane:
    y, x = np.ogrid[:90, :160]
    picture: Plane = np.stack(np.broadcast_arrays(x, 2 * y, 160 - x), axis=-1).astype(np.uint8)
    picture.flags.writeable = False
    return picture
