"""Reads ``vmeet.toml`` and the environment into Settings."""

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from vmeet_core.settings.models import Pipeline, Preset, Settings, Tables
from vmeet_core.settings.problems import (
    Loc,
    Problem,
    SettingsError,
    did_you_mean,
    key_path,
    problems_of,
    type_at,
    validated,
)

FILE_NAME = "vmeet.toml"
FILE_VARIABLE = "VMEET_SETTINGS"
PREFIX = "VMEET_"
SEPARATOR = "__"

Data = dict[str, Any]


def load_settings(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """The settings in ``path``, else in ``$VMEET_SETTINGS``, else in ``./vmeet.toml``, else the defaults.

    ``VMEET_SERVER__BIND`` and its like override single keys. Relative paths are taken from the file's folder, and
    from the working directory where there is no file. Raises SettingsError with every fault; its ``sound`` holds
    Settings without the faulty keys, so that the rest can be checked too.
    """
    file = _find(path, environ)
    data = _read(file) if file else {}
    overrides, problems = _overrides(environ)
    tables, found = _parse(data, overrides, str(file or ""))
    problems += found
    settings = _finish(tables, file) if tables else None
    if problems or settings is None:
        raise SettingsError(problems, sound=settings)
    return settings


def with_bind(settings: Settings, bind: str) -> Settings:
    """The same settings, listening elsewhere. Raises SettingsError."""
    server = settings.server.model_dump(mode="json") | {"bind": bind}
    checked = validated(type(settings.server), server, file="--bind")
    return settings.model_copy(update={"server": checked})


def _find(path: Path | None, environ: Mapping[str, str]) -> Path | None:
    if path is not None:
        return path
    if environ.get(FILE_VARIABLE):
        return Path(environ[FILE_VARIABLE])
    default = Path(FILE_NAME)
    return default if default.exists() else None


def _read(file: Path) -> Data:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"the settings cannot be read: {error.strerror}."
        remedy = f"Give another file with --settings or {FILE_VARIABLE}; vmeet.example.toml is one to copy."
        raise SettingsError([Problem(str(file), "", message, remedy)]) from None
    except UnicodeDecodeError as error:
        message = f"is no UTF-8 text (byte {error.start})."
        raise SettingsError([Problem(str(file), "", message, "Save the file as UTF-8.")]) from None
    except tomllib.TOMLDecodeError as error:
        remedy = 'TOML wants text in quotes (key = "text"), true and false, and tables as [name].'
        raise SettingsError([Problem(str(file), "", f"is no TOML: {error}.", remedy)]) from None


def _overrides(environ: Mapping[str, str]) -> tuple[dict[Loc, tuple[str, str]], list[Problem]]:
    """Keys' places with (variable, text); a variable whose table does not exist is a fault, not a silence."""
    found: dict[Loc, tuple[str, str]] = {}
    problems = []
    for variable in sorted(environ):
        if not variable.startswith(PREFIX) or SEPARATOR not in variable:
            continue
        loc = tuple(variable.removeprefix(PREFIX).lower().split(SEPARATOR))
        if loc[0] in Tables.model_fields:
            found[loc] = (variable, environ[variable])
        else:
            remedy = did_you_mean(loc[0], Tables.model_fields)
            problems.append(Problem("environment", variable, "there is no such table of settings.", remedy))
    return found, problems


def _parse(data: Data, overrides: dict[Loc, tuple[str, str]], file: str) -> tuple[Tables | None, list[Problem]]:
    for loc, (_, text) in overrides.items():
        _put(data, loc, _value(loc, text))
    try:
        return _tables(data), []
    except ValidationError as error:
        variables = {key_path(loc): variable for loc, (variable, _) in overrides.items()}
        problems = [_named(problem, variables) for problem in problems_of(error, Tables, file=file)]
        for details in error.errors(include_url=False):
            _remove(data, details["loc"])
    try:
        return _tables(data), problems
    except ValidationError:
        return None, problems


def _tables(data: Data) -> Tables:
    return Tables.model_validate_json(json.dumps(data, default=str), strict=True)


def _named(problem: Problem, variables: dict[str, str]) -> Problem:
    """A fault that a variable brought names the variable rather than the file."""
    for path, variable in variables.items():
        if re.match(re.escape(path) + r"($|[.\[])", problem.key):
            return problem._replace(file="environment", key=variable)
    return problem


def _value(loc: Loc, text: str) -> Any:
    """Text where the setting is text, else a TOML value; what is neither stays text, for the models to refuse."""
    kind = type_at(Tables, loc)
    if kind is not Any and (kind is None or _takes_text(kind, text)):
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _takes_text(kind: Any, text: str) -> bool:
    try:
        TypeAdapter(kind).validate_json(json.dumps(text), strict=True)
    except ValidationError:
        return False
    return True


def _put(data: Data, loc: Loc, value: Any) -> None:
    table: Any = data
    for part in loc[:-1]:
        if not isinstance(table.get(part), dict):
            table[part] = {}
        table = table[part]
    table[loc[-1]] = value


def _remove(data: Data, loc: Loc) -> None:
    """Take out the deepest entry on the way to ``loc`` that is there; of a list, the whole list."""
    table, entry = data, None
    for part in loc:
        if not isinstance(table, dict) or part not in table:
            break
        entry = (table, part)
        table = table[part]
    if entry is not None:
        del entry[0][entry[1]]


def _finish(tables: Tables, file: Path | None) -> Settings:
    folder = (file.parent if file else Path()).absolute()
    changed = {
        "server": tables.server.model_copy(update={"data_dir": folder / tables.server.data_dir.expanduser()}),
        "weights": tables.weights.model_copy(update={"dir": folder / tables.weights.dir.expanduser()}),
        "pipeline": _with_paths(tables.pipeline, folder),
        "meetings": tables.meetings or {"plain": Preset()},
    }
    return Settings(**(dict(tables) | changed), file=file)


def _with_paths(pipeline: Pipeline, folder: Path) -> Pipeline:
    paths = {name: getattr(pipeline, name) for name in ("dask_tls_ca", "dask_tls_cert", "dask_tls_key")}
    return pipeline.model_copy(
        update={name: folder / path.expanduser() for name, path in paths.items() if path is not None}
    )
