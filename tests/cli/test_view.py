import importlib.util
import socket

import pytest


def test_help_needs_neither_jax_nor_gradio(process):
    done = process("view", "--help")
    assert done.returncode == 0
    assert "127.0.0.1" in done.stdout


def test_nothing_heavy_is_loaded_for_the_help():
    import subprocess
    import sys

    code = (
        "from ecop.cli.main import main; import sys, contextlib, io\n"
        "with contextlib.redirect_stdout(io.StringIO()): main(['view', '--help']); main(['--help'])\n"
        "print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "ecop.cli.view" in loaded
    assert not {"jax", "gradio", "fastapi", "uvicorn"} & set(loaded)


def test_without_gradio_one_line_names_the_extra(refused, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "gradio" else found(name, *rest)
    )
    assert refused("view") == "ecop view needs an optional part: pip install 'ecop[viewer]'"


@pytest.mark.parametrize("limit", ["0", "-1", "1e9", "nan"])
def test_limits_of_uploads(refused, limit):
    assert "--max-upload" in refused("view", "--max-upload", limit)


def test_a_port_that_is_taken(refused):
    pytest.importorskip("gradio")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"127.0.0.1:{port}" in refused("view", "--no-open", "--quiet", "--port", port)


def test_only_this_machine_by_default():
    from ecop.cli.main import parse
    from ecop.viewer.server import Address

    command = parse("view", [])
    address = Address(command.host, command.port)
    assert address.is_loopback
    assert not Address("0.0.0.0").is_loopback
    with address.listen() as listening:
        assert listening.getsockname()[0] == "127.0.0.1"
        assert 7860 <= listening.getsockname()[1] < 7960
