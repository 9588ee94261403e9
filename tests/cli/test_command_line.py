"""The command line as a whole: help, exit codes, and errors without a traceback."""

import os
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from vmeet_core import __version__
from vmeet_core.cli import main
from vmeet_core.cli.command_line import COMMANDS, build_parser
from vmeet_core.hookspecs import Permanent

ROOT = Path(__file__).parents[2]
ENTRY = "import sys; from vmeet_core.cli import main; sys.exit(main())"


def test_the_installed_command_is_this_one():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["scripts"] == {"vmeet": "vmeet_core.cli:main"}


def test_every_command_is_there_and_explains_itself():
    parser, commands = build_parser()
    assert list(commands) == list(COMMANDS)
    for module in commands.values():
        assert callable(module.run)
        assert len(module.DESCRIPTION) > 80
    help_text = parser.format_help()
    for name in commands:
        assert f"\n    {name} " in help_text


@pytest.mark.parametrize("arguments", [[], ["no-such-command"], ["weights"], ["weights", "list", "--wrong"]])
def test_a_wrong_command_line_is_2(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: vmeet" in capsys.readouterr().err


def test_version_and_help_are_0(capsys):
    for option, words in (("--version", f"vmeet {__version__}"), ("--help", "vmeet doctor")):
        with pytest.raises(SystemExit) as caught:
            main([option])
        assert caught.value.code == 0
        assert words in capsys.readouterr().out


@pytest.mark.parametrize("place", ["before", "after", "nested"])
def test_settings_may_stand_anywhere(place, tmp_path, capsys):
    (tmp_path / "s.toml").write_text("[sever]")
    option = ["--settings", str(tmp_path / "s.toml")]
    arguments = {
        "before": [*option, "weights", "list"],
        "after": ["weights", *option, "list"],
        "nested": ["weights", "list", *option],
    }
    assert main(arguments[place]) == 1
    assert 's.toml: sever: there is no such setting.\n    Did you mean "server"?' in capsys.readouterr().err


def test_an_error_has_a_traceback_only_when_asked_for(run_vmeet):
    plain = run_vmeet("--settings", "none.toml", "serve")
    assert plain.returncode == 1
    assert plain.stderr.startswith("vmeet: none.toml: the settings cannot be read")
    assert "Traceback" not in plain.stderr
    assert "Traceback" in run_vmeet("--debug", "--settings", "none.toml", "serve").stderr


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (Permanent("no such model"), "vmeet: no such model\n"),
        (FileNotFoundError(2, "No such file", "a.wav"), "vmeet: a.wav: No such file\n"),
        (ZeroDivisionError("division"), "vmeet: ZeroDivisionError: division (add --debug to see where)\n"),
    ],
)
def test_each_error_is_one_line(error, words, monkeypatch, capsys):
    _, commands = build_parser()

    def fail(args: object) -> int:
        raise error

    monkeypatch.setattr(commands["plugins"], "run", fail)
    assert main(["plugins"]) == 1
    assert capsys.readouterr().err == words


def test_ctrl_c_ends_quietly(tmp_path):
    """A fetch that waits for another process is interrupted as a terminal does it."""
    (tmp_path / "vmeet.toml").write_text("[meetings.plain]")
    os.mkfifo(tmp_path / "fifo.toml")
    process = subprocess.Popen(
        [sys.executable, "-c", f"print('ready', flush=True); {ENTRY}", "--settings", "fifo.toml", "weights", "list"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with (tmp_path / "fifo.toml").open("w"):  # opens once the command reads its settings, and then keeps it waiting
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (out, err, process.returncode) == ("ready\n", "", 130)


def test_a_reader_that_has_gone_is_no_error(tmp_path):
    reader, writer = os.pipe()
    os.close(reader)
    process = subprocess.run(
        [sys.executable, "-c", ENTRY, "plugins"], cwd=tmp_path, stdout=writer, stderr=subprocess.PIPE, timeout=60
    )
    os.close(writer)
    assert process.stderr == b""
