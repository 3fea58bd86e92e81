# SPDX-License-Identifier: Apache-2.0
"""What a session ran, afterwards: `glassbell log` for people, `glassbell export` as documents."""

import json
import os
import re
import subprocess
import threading

import pytest

import packages
from support import BINARY, DEADLINE, Session, forgetful

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def glassbell(server, *arguments, status=0):
    done = subprocess.run([BINARY, *arguments], env=dict(server.env, TZ="UTC", NO_COLOR="1"), capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=DEADLINE)
    assert done.returncode == status, done.stderr.decode()
    return done.stdout


@pytest.fixture(scope="module")
def past(server, client):
    """The label of a session that has ended, with five cells."""
    label = "past-" + os.urandom(4).hex()
    session = Session(client, label=label)
    session.exec("x = 41\nprint('out', end='')\nx + 1")
    session.exec("ls /none; printf '\\377\\033[2J'", mode="shell")
    session.exec(f"import base64\nclass P:\n def _repr_png_(self): return base64.b64decode('{PNG}')\nP()")
    session.exec("open('made.txt', 'w').write('1'); 1/0")
    session.exec("print('é' * 3)")
    session.close()
    return label


def test_log_of_a_session_that_has_ended(server, past):
    text = glassbell(server, "log", past).decode()
    assert ">>> x = 41\n... print('out', end='')\n... x + 1\nout\n= 42\n" in text
    assert "$ ls /none" in text and "\\xff\\x1b[2J" in text and "\x1b" not in text
    assert "[display image/png" in text and "ZeroDivisionError" in text and "exit 1" in text
    assert "+ made.txt\n" in text
    assert glassbell(server, "log", past, "--cell", "5", "--output") == "ééé\n".encode()
    assert glassbell(server, "log", past, "--cell", "2", "--output").startswith(b"\xff\x1b[2J")
    assert glassbell(server, "log", past, "--cell", "1", "--code") == b"x = 41\nprint('out', end='')\nx + 1\n"
    cells = [json.loads(line) for line in glassbell(server, "log", past, "--json").splitlines()]
    assert [cell["cell"] for cell in cells] == [1, 2, 3, 4, 5] and cells[0]["value"] == "42"
    glassbell(server, "log", past, "--cell", "6", status=125)
    glassbell(server, "log", "no-such-session", status=125)
    glassbell(server, "log", past, "--cell", "0", status=2)


def test_log_follows(server, client):
    label = "live-" + os.urandom(4).hex()
    session = Session(client, "shell", label=label)
    session.exec("echo before")
    process = subprocess.Popen([BINARY, "log", label, "--follow"], env=dict(server.env, NO_COLOR="1"),
                               stdout=subprocess.PIPE)
    shown = b""

    def until(text):
        nonlocal shown
        while text not in shown:
            piece = os.read(process.stdout.fileno(), 65536)
            assert piece, shown
            shown += piece

    until(b"before\n[")
    running = session.send("echo begun; while [ ! -e go ]; do sleep 0.02; done; echo after; false")
    until(b"$ echo begun; while")
    until(b"begun\n")
    session.write("go", b"")
    until(b"after\n[")
    running.wait()
    session.close()
    rest = process.stdout.read()
    assert b"exit 1" in shown + rest and b"the session has ended" in shown + rest
    assert process.wait(DEADLINE) == 0


def test_log_follows_a_session_that_says_more_than_is_read(server, client):
    """Events are dropped; what the cells were is told nevertheless."""
    label = "much-" + os.urandom(4).hex()
    session = Session(client, "shell", label=label)
    process = subprocess.Popen([BINARY, "log", label, "--follow"], env=dict(server.env, NO_COLOR="1"),
                               stdout=subprocess.PIPE)
    running = session.send("echo first; while [ ! -e go ]; do sleep 0.02; done")
    shown = b""
    while b"first\n" not in shown:
        piece = os.read(process.stdout.fileno(), 65536)
        assert piece, shown
        shown += piece
    session.write("go", b"")
    running.wait()
    for _ in range(6):  # with nobody reading
        session.exec("head -c 1000000 /dev/zero | tr '\\0' x; echo")
    session.exec("echo the last")
    running = session.send("rm go; echo much; head -c 500000 /dev/zero | tr '\\0' y; echo; echo begun;"
                           "while [ ! -e go ]; do sleep 0.02; done; echo end", stream=True)
    while session.note().get("text", "")[-6:] != "begun\n":
        pass
    reader = threading.Thread(target=lambda: rest.append(process.stdout.read()))
    rest = []
    reader.start()
    session.write("go", b"")
    running.wait()
    session.close()
    reader.join(DEADLINE)
    shown += rest[0]
    assert process.wait(DEADLINE) == 0
    assert b"events were left out" in shown and b"the session has ended" in shown
    assert b"\nthe last\n" in shown and b"$ rm go; echo much" in shown
    assert shown.count(b"\n" + b"x" * 1_000_000 + b"\n") == 6
    numbers = [int(n) for n in re.findall(rb"^\[(\d+)\]", shown, re.MULTILINE)]
    assert sorted(set(numbers)) == list(range(1, 10))


def test_a_recording_has_output_when_it_came(server, client):
    label = "paced-" + os.urandom(4).hex()
    session = Session(client, "shell", label=label)
    running = session.send("echo one; while [ ! -e go ]; do sleep 0.02; done; echo two >&2", stream=True)
    while session.note().get("text") != "one\n":
        pass
    session.write("go", b"")
    cell = running.wait()
    assert "pace" not in cell
    (kept,) = session.call("session.history")["cells"]
    assert [(stream, size) for _, stream, size in kept["pace"]] == [("stdout", 4), ("stderr", 4)]
    assert 0 <= kept["pace"][0][0] < kept["pace"][1][0]
    assert "pace" not in session.call("session.history", output=False)["cells"][0]
    _, *events = map(json.loads, glassbell(server, "export", label, "--format", "asciicast").splitlines())
    at = {text: at for at, _, text in events}
    assert at["one\r\n"] == kept["pace"][0][0] / 1000
    assert at["\x1b[31mtwo\r\n\x1b[0m"] == kept["pace"][1][0] / 1000
    session.close()


def test_log_of_a_session_whose_server_was_killed():
    """What was acknowledged is there, and what ran then is told as it is."""
    with forgetful() as server:
        with server.client() as client:
            session = Session(client, "shell", label="unlucky")
            session.exec("echo kept")
            session.send("echo begun; sleep 600", stream=True, timeout_ms=700000)
            assert session.note()["text"] == "begun\n"
            server.process.kill()
            server.process.wait()
        server.start()
        text = glassbell(server, "log", "unlucky").decode()
        assert "kept\n" in text and "$ echo begun; sleep 600" in text and "the server ended" in text
        assert "\n[the server ended" in text
        assert b"unlucky" not in glassbell(server, "ls")
        heading, line = glassbell(server, "ls", "--all").decode().splitlines()
        assert line.split()[1:4] == ["unlucky", "shell", "lost"] and " -  " in line and " ago" in line
        assert heading.index("IDLE") == line.index("ended ") and heading.index("NAME") == line.index("unlucky")
        listed = json.loads(glassbell(server, "ls", "--all", "--json"))
        assert [(entry["label"], entry["state"]) for entry in listed] == [("unlucky", "lost")]
        assert json.loads(glassbell(server, "export", session.id, "--format", "json"))["cells"][0]["stdout"] == "kept\n"


def test_notebook(server, past, tmp_path):
    folder = packages.python("jupyter", "nbformat", "nbconvert")
    import nbformat

    path = tmp_path / "past.ipynb"
    glassbell(server, "export", past, "-o", str(path))
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert [cell["execution_count"] for cell in notebook.cells] == [1, 2, 3, 4, 5]
    assert notebook.cells[0]["outputs"][1]["data"]["text/plain"] == "42"
    assert notebook.cells[1]["source"].startswith("%%bash\n")
    assert notebook.cells[2]["outputs"][0]["data"]["image/png"] == PNG
    assert notebook.cells[3]["outputs"][-1]["output_type"] == "error"
    assert [entry.name for entry in tmp_path.iterdir()] == ["past.ipynb"]
    opened = subprocess.run([folder / "bin" / "jupyter-nbconvert", "--to", "html", "--stdout", path],
                            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEADLINE)
    assert opened.returncode == 0, opened.stderr
    assert "ZeroDivisionError" in opened.stdout and PNG in opened.stdout


def test_other_documents(server, client, past):
    script = glassbell(server, "export", past, "--format", "py").decode()
    compile(script, "past.py", "exec")
    assert "# %% [2], shell" in script and "# !ls /none" in script
    markdown = glassbell(server, "export", past, "--format", "md").decode()
    assert "```python\nx = 41\n" in markdown and f"data:image/png;base64,{PNG}" in markdown
    whole = json.loads(glassbell(server, "export", past, "--format", "json"))
    assert whole["session"]["label"] == past and len(whole["cells"]) == 5

    header, *events = map(json.loads, glassbell(server, "export", past, "--format", "asciicast").splitlines())
    assert header["version"] == 2 and header["timestamp"] == int(whole["cells"][0]["started_at"])
    assert all(kind == "o" for _, kind, _ in events)
    times = [at for at, _, _ in events]
    assert times == sorted(times) and times[0] == 0
    assert times[2] >= whole["cells"][0]["wall_ms"] / 1000 - 0.001  # its value
    played = "".join(text for _, _, text in events)
    assert "x = 41" in played and "42\r\n" in played and "\x1b[2J" not in played

    glassbell(server, "export", past, "--format", "pdf", status=2)
    with_shell = Session(client, "shell", label="sh-" + os.urandom(4).hex())
    glassbell(server, "exec", with_shell.id, "-c", "true")
    cell, = json.loads(glassbell(server, "export", with_shell.id, "--format", "json"))["cells"]
    assert cell["client"].startswith("glassbell exec ")
    glassbell(server, "export", with_shell.id, "--format", "py", status=125)
    with_shell.close()
