"""``vmeet compare transcribers`` as a user runs it, with a transcriber of tones installed for the test."""

import argparse
import json
from pathlib import Path

import pytest
from tone_transcribers import PLUGIN, tones, write_utterances

from vmeet_core.cli.common import CommandError
from vmeet_core.cli.compare import denoiser_names


@pytest.fixture
def spoken(tmp_path: Path) -> Path:
    """Three files of which the tones are read right, but for 器, which is a 氣, and a word at the end."""
    said = [
        ("早安，我們開會", tones(400, 800)),
        ("wi-fi今天二十五度嗎", tones(1200, 1600)),
        ("", tones()),
    ]
    return write_utterances(tmp_path / "spoken", said)


def plugin(*kinds: str) -> str:
    return f"KINDS = {kinds!r}\n{PLUGIN}"


def test_rates_are_of_the_whole_folder_and_the_texts_come_with_them(run_vmeet, install_plugin, packages, spoken):
    install_plugin("vmeet-tones", plugin("tones", "mute", "large"))
    names = [part for name in ("tones", "mute", "large") for part in ("--plugin", name)]
    targets = ["--json", "out.json", "--report", "out.html"]
    done = run_vmeet("compare", "transcribers", "--data", spoken, *names, *targets, packages=packages)
    assert done.returncode == 0, done.stderr
    found = json.loads((spoken.parent / "out.json").read_text(encoding="utf-8"))
    assert list(found) == ["tones", "mute", "large"]
    one_of_14 = {"cer": 1 / 14, "substitutions": 0.0, "deletions": 1 / 14, "insertions": 0.0, "ser": 1 / 14, "n": 3}
    assert {name: found["tones"][name] for name in one_of_14} == pytest.approx(one_of_14)
    assert 0 < found["tones"]["rtf"] < 1
    assert 0 <= found["tones"]["memory_mb"] < 60
    assert found["large"]["memory_mb"] - found["tones"]["memory_mb"] == pytest.approx(80, abs=20)
    assert (found["mute"]["cer"], found["mute"]["deletions"]) == (1.0, 1.0)
    assert "mute: 3 of 3" in done.stderr
    assert "0.0714" in done.stdout
    first = found["tones"]["items"][0]
    assert (first["item"], first["cer"], first["reference"], first["heard"]) == (
        "0.flac",
        0.0,
        "早安，我們開會",
        "早安。 我们开会",
    )
    assert found["tones"]["items"][1]["alignment"][-1] == ["deletion", "吗", ""]
    page = (spoken.parent / "out.html").read_text(encoding="utf-8")
    assert '<span class=deletion title="left out 漏掉">吗</span>' in page


def test_denoised_sound_is_compared_with_plain_in_one_table(run_vmeet, install_plugin, packages, spoken):
    install_plugin("vmeet-tones", plugin("tones"))
    options = ["--plugin", "tones", "--denoiser", "gate, gate", "--option", "reduction_db=20"]
    done = run_vmeet("compare", "transcribers", "--data", spoken, *options, "--json", "out.json", packages=packages)
    assert done.returncode == 0, done.stderr
    found = json.loads((spoken.parent / "out.json").read_text(encoding="utf-8"))
    assert list(found) == ["tones", "tones + gate"]
    assert found["tones + gate"]["cer"] == found["tones"]["cer"]
    assert found["tones + gate"]["rtf"] > found["tones"]["rtf"]


def test_those_that_break_are_named_and_leave_the_others(run_vmeet, install_plugin, packages, spoken):
    install_plugin("vmeet-tones", plugin("dies", "refuses", "tones"))
    names = [part for name in ("dies", "refuses", "tones") for part in ("--plugin", name)]
    options = ["--language", "zh-TW", "--option", "instead=好", "--json", "out.json"]
    done = run_vmeet("compare", "transcribers", "--data", spoken, *names, *options, packages=packages)
    assert done.returncode == 1
    assert "vmeet: dies: its process ended suddenly, with exit code 9 (vmeet check dies may tell more)" in done.stderr
    assert "vmeet: refuses: 0.flac: no zh-TW today (vmeet check refuses may tell more)" in done.stderr
    found = json.loads((spoken.parent / "out.json").read_text(encoding="utf-8"))
    assert (found["dies"], found["refuses"]) == ({"n": 0}, {"n": 0})
    assert (found["tones"]["n"], found["tones"]["items"][0]["heard"]) == (3, "好 好")


def test_a_denoiser_that_is_not_installed_is_told(run_vmeet, install_plugin, packages, spoken):
    install_plugin("vmeet-tones", plugin("tones"))
    command = ["compare", "transcribers", "--data", spoken, "--plugin", "tones", "--denoiser", "gates"]
    done = run_vmeet(*command, packages=packages)
    assert done.returncode == 1
    assert 'no installed plugin offers "gates" among the denoisers' in done.stderr


def test_denoisers_come_as_a_list_and_only_for_transcribers():
    args = argparse.Namespace(kind="denoisers", denoiser=["a, b", "c"])
    assert denoiser_names(args, "transcribers") == ["a", "b", "c"]
    with pytest.raises(CommandError, match="--denoiser is for transcribers: denoisers are measured without one"):
        denoiser_names(args, "denoisers")


def test_a_folder_without_transcripts_is_named(run_vmeet, tmp_path):
    done = run_vmeet("compare", "transcribers", "--data", tmp_path)
    assert done.returncode == 1
    assert "has no transcripts.tsv: put one there, with the columns file and text" in done.stderr
    assert "Traceback" not in done.stderr
