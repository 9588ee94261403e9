"""Recordings and jobs as the server tells of them."""

from typing import Any


def step(name: str, title: str, state: str, **changes: Any) -> dict[str, Any]:
    known = {"name": name, "title": title, "state": state, "progress": 0, "seconds": None}
    return {**known, "error": None, "log_tail": [], **changes}


def job(identity: str, state: str, steps: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    known = {"id": identity, "recording_id": "r1", "state": state, "created_at_s": 1.79e9, "results": {}}
    return {**known, "request": {"denoiser": "dtln", "options": {}}, "steps": steps, **changes}


def recording(identity: str, title: str, state: str, **changes: Any) -> dict[str, Any]:
    known = {"id": identity, "meeting_id": "m", "title": title, "started_at_s": 1.79e9 + int(identity[1:])}
    rest = {"duration_s": 95, "people": ["Ann", "王小明"], "thumbnail": None, "size_bytes": 2_000_000, "job": None}
    return {**known, "state": state, **rest, **changes}
