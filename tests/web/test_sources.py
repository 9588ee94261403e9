"""What the client is made of: plain files that a browser runs, readable in every colour scheme."""

import re
import subprocess
from pathlib import Path

import pytest

from vmeet_core.server.app import PAGES, WEB

SCRIPTS = sorted(WEB.rglob("*.js"))
SHEETS = sorted(WEB.rglob("*.css"))
CONTRAST = 4.5
PAIRS = [
    *(("ink", ground) for ground in ("ground", "surface", "raised", "sunken", "tile", "accent-soft")),
    *(("muted", ground) for ground in ("ground", "surface", "raised", "sunken", "tile")),
    *(("accent", ground) for ground in ("ground", "surface", "raised", "accent-soft")),
    *(("danger", ground) for ground in ("surface", "raised", "danger-soft")),
    *(("warning", ground) for ground in ("ground", "surface", "raised", "warning-soft")),
    ("good", "good-soft"),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("on-danger", "danger"),
    ("on-danger", "danger-strong"),
]


def test_pages_hold_no_inline_script_or_style() -> None:
    for page in PAGES.values():
        html = (WEB / page).read_text(encoding="utf-8")
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", html)
        assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", html))


def test_nothing_is_loaded_from_elsewhere() -> None:
    for path in [*SCRIPTS, *SHEETS, *(WEB / page for page in PAGES.values())]:
        text = path.read_text(encoding="utf-8")
        addresses = set(re.findall(r"https?://[\w.]+[^\s\"'`]*", text))
        assert addresses <= {"http://www.w3.org/2000/svg"}, path.name
        assert "innerHTML" not in text, path.name


def test_every_file_is_short_enough_to_read() -> None:
    for path in [*SCRIPTS, *SHEETS]:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 500, path.name


def colours(scheme: str) -> dict[str, str]:
    text = (WEB / "css" / "base.css").read_text(encoding="utf-8")
    light, dark = text.split("@media (prefers-color-scheme: dark)", 1)
    pattern = r"--([\w-]+): (#[0-9a-f]{6});"
    return dict(re.findall(pattern, light)) | (dict(re.findall(pattern, dark)) if scheme == "dark" else {})


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS, ids=lambda name: name)
def test_contrast_is_enough_to_read(scheme: str, text: str, ground: str) -> None:
    palette = colours(scheme)
    high, low = sorted((luminance(palette[text]), luminance(palette[ground])), reverse=True)
    assert (high + 0.05) / (low + 0.05) >= CONTRAST


def test_the_type_check_without_node_says_what_is_missing(tmp_path: Path) -> None:
    for tool in ("dirname", "pwd", "sh"):
        (tmp_path / tool).symlink_to(f"/usr/bin/{tool}")
    done = subprocess.run(
        ["/bin/sh", str(WEB.resolve() / "check")],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 1
    assert "node and npm are needed" in done.stderr
