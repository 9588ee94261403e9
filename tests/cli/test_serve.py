"""``vmeet serve`` refuses to start on any fault, before it listens; the server's own tests do the rest."""

import socket

import pytest


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ('[meetings.a]\ndenoiser = "none"', 'no installed plugin offers "none"'),
        ('[meetings.a]\ntranscriber = "words"', "will not leave it out in silence"),
        ("[server]\nbind = 8080", "server.bind"),
    ],
)
def test_it_does_not_listen_on_a_fault(toml, words, run_vmeet, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        (tmp_path / "vmeet.toml").write_text(toml)
        # Were it to listen first, the taken port would be what it complains about.
        done = run_vmeet("serve", "--bind", f"127.0.0.1:{taken.getsockname()[1]}")
    assert done.returncode == 1
    assert words in done.stderr
    assert "in use" not in done.stderr


def test_a_wrong_bind_is_told(run_vmeet):
    done = run_vmeet("serve", "--bind", "nowhere")
    assert done.returncode == 1
    assert "--bind: bind: should be" in done.stderr
