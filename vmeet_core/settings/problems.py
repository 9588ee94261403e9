"""Faults of settings in a person's words: the file, the key's path, what is wrong, and what to do about it."""

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

ModelT = TypeVar("ModelT", bound=BaseModel)
Loc = tuple[int | str, ...]


class Problem(NamedTuple):
    """One fault; ``file`` is empty where the fault is in no file, ``key`` is such as ``meetings.default.denoiser``."""

    file: str
    key: str
    message: str
    remedy: str

    def __str__(self) -> str:
        place = ": ".join(part for part in (self.file, self.key) if part)
        return f"{place}: {self.message}\n    {self.remedy}"


class SettingsError(Exception):
    """One or more faults; its text has them all. ``sound`` holds what is left of the settings without them."""

    def __init__(self, problems: Iterable[Problem], sound: Any = None) -> None:
        self.problems = list(problems)
        self.sound = sound
        super().__init__("\n".join(map(str, self.problems)))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """'Did you mean "x"? ' or the list of what is known."""
    names = sorted(known)
    close = difflib.get_close_matches(word.lower(), names, n=1, cutoff=0.6)
    if close:
        return f'Did you mean "{close[0]}"?'
    return f"Known here: {', '.join(names)}." if names else "There are none here."


def validated(model: type[ModelT], data: Mapping[str, Any], key: str = "", file: str = "") -> ModelT:
    """``data`` (of TOML or JSON) as the model. Raises SettingsError; ``key`` is put before the path of each key.

    The JSON rules of pydantic's strict mode apply: a list may become a tuple and a string a path, but no text
    becomes a number.
    """
    try:
        return model.model_validate_json(json.dumps(data, default=str), strict=True)
    except ValidationError as error:
        raise SettingsError(problems_of(error, model, key, file)) from None


def problems_of(error: ValidationError, model: type[BaseModel], key: str = "", file: str = "") -> list[Problem]:
    return [_problem(details, model, key, file) for details in error.errors(include_url=False, include_input=False)]


def key_path(loc: Sequence[int | str]) -> str:
    """``("server", "ice_servers", 0, "urls")`` as ``server.ice_servers[0].urls``."""
    path = ""
    for part in loc:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part != "[key]":
            path += f".{part}" if path else part
    return path


def _problem(details: ErrorDetails, model: type[BaseModel], key: str, file: str) -> Problem:
    loc = details["loc"]
    path = key_path([key, *loc] if key else loc)
    name = str(loc[-1]) if loc else ""
    if details["type"] == "extra_forbidden":
        return Problem(file, path, "there is no such setting.", did_you_mean(name, _keys_at(model, loc[:-1])))
    if name == "[key]":
        return Problem(file, path, "this name cannot stand here.", _key_remedy(details, str(loc[-2])))
    if details["type"] == "missing":
        return Problem(file, path, "is needed and absent.", _remedy(model, loc))
    message = details["msg"].removeprefix("Value error, ").removeprefix("Input ").rstrip(".")
    message = message.replace("be an object", "be a table")  # TOML's word
    return Problem(file, path, f"{message}.", _remedy(model, loc))


def _key_remedy(details: ErrorDetails, name: str) -> str:
    if details["type"] == "literal_error":
        expected = details["ctx"]["expected"].replace(" or ", ", ")
        return did_you_mean(name, [word.strip("' ") for word in expected.split(",")])
    return "Use lower-case letters, digits, - and _ only, at most 40."


def _remedy(model: type[BaseModel], loc: Loc) -> str:
    """What the nearest described field on the way to ``loc`` means."""
    for end in range(len(loc), 0, -1):
        field = _field_at(model, loc[:end])
        if field is not None and (field.description or field.title):
            meaning = (field.description or field.title or "").rstrip(".")
            return f"Meaning of the key: {meaning}."
    return "Correct the value."


def _keys_at(model: type[BaseModel], loc: Loc) -> list[str]:
    table = _model_of(type_at(model, loc))
    return list(table.model_fields) if table else []


def _field_at(model: type[BaseModel], loc: Loc) -> FieldInfo | None:
    parent = _model_of(type_at(model, loc[:-1]))
    return parent.model_fields.get(str(loc[-1])) if parent else None


def type_at(model: Any, loc: Loc) -> Any:
    """The annotation at ``loc``: a field of a model, the values of a dict, the items of a list."""
    kind = model
    for part in loc:
        table = _model_of(kind)
        if table is not None and part in table.model_fields:
            kind = table.model_fields[str(part)].annotation
        elif get_origin(kind) in (dict, list, tuple, Mapping):
            kind = get_args(kind)[1 if get_origin(kind) in (dict, Mapping) else 0]
        else:
            return None
    return kind


def _model_of(kind: Any) -> type[BaseModel] | None:
    """The model among a type and the members of its union, if there is one."""
    for member in (kind, *get_args(kind)):
        if isinstance(member, type) and get_origin(member) is None and issubclass(member, BaseModel):
            return member
    return None
