"""What holds for the providers of every kind."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from vmeet_core.hookspecs import API, Options, Weight
from vmeet_core.testing.check import Breach, Check, Subject

RUNTIMES = {
    *("ai_edge_litert", "ctranslate2", "detectron2", "faster_whisper", "jax", "keras", "ncnn", "onnxruntime"),
    *("openvino", "sherpa_onnx", "speechbrain", "tensorflow", "tflite_runtime", "torch", "transformers", "whisper"),
}
_NAME = re.compile(r"[a-z0-9]+([-_][a-z0-9]+)*")
_HOOKS = ("register_frame_filters", "register_video_enhancers", "register_transcribers", "register_denoisers")
_IMPORT_TIMEOUT_S = 60
_IMPORTER = """
import importlib, sys
module = importlib.import_module(sys.argv[1])
for hook in sys.argv[2:]:
    if hasattr(module, hook):
        list(getattr(module, hook)())
print()
print(" ".join({name.partition(".")[0] for name in sys.modules}))
"""


def check_cheap(subject: Subject) -> str:
    """Import the plugin in a process of its own and look which runtimes came along."""
    module = subject.module or type(subject.provider).__module__
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", _IMPORTER, module, *_HOOKS]
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=environ, timeout=_IMPORT_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        raise Breach(f"importing {module} takes over {_IMPORT_TIMEOUT_S} s.", "Do slow work in load().") from None
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no message"]
        raise Breach(f"{module} cannot be imported in a new process: {lines[-1]}", "Correct the import.")
    loaded = RUNTIMES.intersection(done.stdout.splitlines()[-1].split())
    if loaded:
        raise Breach(f"importing {module} loads {', '.join(sorted(loaded))}.", "Import the runtime inside load().")
    return ""


def check_identity(subject: Subject) -> str:
    """``api``, ``name``, ``title``, ``licence`` and ``leaves_host``."""
    provider = subject.provider
    if getattr(provider, "api", None) != API:
        given = getattr(provider, "api", "no number")
        raise Breach(f"api is {given!r}, this VMeet has {API}.", f"Write it for API {API} and set api = {API}.")
    if not isinstance(getattr(provider, "name", None), str) or not _NAME.fullmatch(provider.name):
        raise Breach(
            f"the name {getattr(provider, 'name', None)!r} is not usable.", "Use lower-case letters, digits, - and _."
        )
    for attribute in ("title", "licence"):
        if not str(getattr(provider, attribute, "")).strip():
            raise Breach(f"{attribute} is empty.", f"Set {attribute} to what people should read.")
    if not isinstance(provider.leaves_host, bool):
        raise Breach(f"leaves_host is {provider.leaves_host!r}.", "Set it to True or False.")
    return ""


def check_weights(subject: Subject) -> str:
    """Every weight is pinned and comes from somewhere."""
    for weight in subject.provider.weights:
        for fault in _weight_faults(weight):
            raise Breach(f"the weight {weight.name!r} {fault}.", "See Weight and Source in vmeet_core/hookspecs.py.")
    names = [weight.name for weight in subject.provider.weights]
    if len(set(names)) < len(names):
        raise Breach("two weights have the same name.", "Name each file differently.")
    return f"{len(names)} files, {sum(weight.size_bytes for weight in subject.provider.weights) / 1e6:.1f} MB"


def _weight_faults(weight: Weight) -> Iterator[str]:
    if not re.fullmatch(r"[0-9a-f]{64}", weight.sha256):
        yield "has no SHA-256 of 64 lower-case hexadecimal digits"
    if weight.size_bytes <= 0:
        yield "has no size"
    if not weight.licence:
        yield "has no licence"
    if not weight.sources:
        yield "has no source"
    if any(sum(map(bool, source)) != 1 for source in weight.sources):
        yield "has a source that is not exactly one of package_data, registry_members and url"


def check_options(subject: Subject) -> str:
    """The form that the page makes of the options, and what the settings file may say, are complete."""
    for role in ("options", "server_settings"):
        model = getattr(subject.provider, role)
        if not (isinstance(model, type) and issubclass(model, Options)):
            raise Breach(f"{role} is {model!r}.", "Make it a subclass of vmeet_core.hookspecs.Options.")
        schema = model.model_json_schema()
        for field in schema.get("properties", {}):
            _check_field(model, field, schema, bounded_text=role == "options")
    if subject.provider.options.model_json_schema().get("required"):
        raise Breach("some options have no default.", "Give every option a default: most people never open the form.")
    return ""


def check_schema(subject: Subject) -> str:
    """The JSON schema of the options travels as JSON, and its defaults are valid options."""
    options = subject.provider.options
    try:
        schema = json.loads(json.dumps(options.model_json_schema(), allow_nan=False))
        defaults = json.loads(options().model_dump_json())
        again = options.model_validate(defaults)
    except (TypeError, ValueError) as error:
        raise Breach(f"the options do not survive JSON: {error}.", "Use types that JSON knows.") from error
    if again != options() or schema.get("additionalProperties") is not False:
        raise Breach("the options change on their way through JSON, or take unknown keys.", "Keep extra='forbid'.")
    return f"{len(schema.get('properties', {}))} options"


def _check_field(model: type[Options], name: str, schema: dict[str, Any], bounded_text: bool) -> None:
    field = model.model_fields[name]
    where = f"{model.__name__}.{name}"
    for attribute in ("title", "description"):
        if not getattr(field, attribute):
            raise Breach(f"{where} has no {attribute}.", f"Field(..., {attribute}=...): the web form shows it.")
    if _unbounded(schema["properties"][name], schema.get("$defs", {}), bounded_text):
        raise Breach(f"{where} has no bounds.", "Field(..., ge=, le=), max_length for text, or a Literal of choices.")


_LIMITS = ({"minimum", "exclusiveMinimum"}, {"maximum", "exclusiveMaximum"})
_BOUNDS: dict[str, tuple[set[str], ...]] = {
    "integer": _LIMITS,
    "number": _LIMITS,
    "string": ({"maxLength", "pattern", "format"},),
    "array": ({"maxItems"},),
}


def _unbounded(schema: dict[str, Any], definitions: dict[str, Any], bounded_text: bool) -> bool:
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    parts = [*schema.get("anyOf", []), *schema.get("properties", {}).values(), *filter(None, [schema.get("items")])]
    if any(_unbounded(part, definitions, bounded_text) for part in parts):
        return True
    kind = schema.get("type", "")
    if {"enum", "const"} & schema.keys() or (kind == "string" and not bounded_text):
        return False
    return not all(keys & schema.keys() for keys in _BOUNDS.get(kind, ()))


PROVIDER_CHECKS = (
    Check("cheap", "building it imports no model runtime", check_cheap),
    Check("identity", "API number, name, title, licence", check_identity),
    Check("weights", "every weight is pinned and has a source", check_weights),
    Check("options", "every field has a title, a description and bounds", check_options),
    Check("schema", "the options survive JSON", check_schema),
)
