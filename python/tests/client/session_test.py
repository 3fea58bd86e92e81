# SPDX-License-Identifier: Apache-2.0
"""The blocking client against a real server: cells, output, files, errors."""

import json
import os
import pathlib
import pickle
import signal
import socket
import subprocess
import sys
import threading

import pytest

import glassbell


def test_hello_and_lists(client, py):
    hello = client.hello()
    assert hello.protocol == 1 and "python" in hello.images and hello.limits
    info = py.get()
    assert (info.session, info.image, info.state) == (py.id, "python", "idle")
    assert py.id in [one.session for one in client.sessions(image="python")]
    assert client.stats()["pid"] > 0


def test_state_value_and_streams(py):
    assert py.exec("x = 41").ok
    cell = py.exec("import sys\nprint('out')\nprint('err', file=sys.stderr)\nx + 1")
    assert (cell.stdout, cell.stderr, cell.value, cell.exit_code) == ("out\n", "err\n", "42", 0)
    assert cell.session == py.id and cell.client == "tests" and cell.wall_ms > 0


def test_a_failure_is_a_cell(py):
    cell = py.exec("1 / 0")
    assert not cell.ok and cell.exit_code == 1 and "ZeroDivisionError" in cell.stderr


def test_bytes_that_are_not_text(py):
    cell = py.exec(r"import os; _ = os.write(1, b'\xff\x00a')")
    assert cell.stdout_bytes == b"\xff\x00a" and cell.stdout == "\ufffd\x00a"


def test_programs(client, py, tmp_path):
    cell = py.exec("import sys; print(sys.argv, __file__)", file="deep/a b.py", args=["x", "", pathlib.Path("y")])
    assert cell.stdout == "['deep/a b.py', 'x', '', 'y'] /home/user/deep/a b.py\n"
    assert (cell.file, cell.argv) == ("deep/a b.py", ("deep/a b.py", "x", "", "y"))
    assert py.exec(file="deep/a b.py", args=["again"]).stdout.startswith("['deep/a b.py', 'again']")
    latin = "# coding: latin-1\nprint(ascii('\xe9'))".encode("latin-1")
    cell = py.exec(latin, file=b"caf\xe9.py", args=[b"\xff"])
    assert cell.stdout == "'\\xe9'\n" and cell.code_bytes == latin and cell.argv == ("caf\udce9.py", "\udcff")
    assert [one.code_bytes for one in py.history()][-1] == latin
    assert py.exec("import sys; print(sys.argv)", args=["x"]).stdout == "['-c', 'x']\n"
    assert client.run("import sys; print(sys.argv)", file="a.py", args=["x"]).stdout == "['a.py', 'x']\n"
    with pytest.raises(TypeError):
        py.exec()
    with pytest.raises(TypeError):
        py.exec("1", args="x")


def test_a_final_cell(client):
    with client.open("python") as session:
        cell = session.exec("import atexit; atexit.register(print, 'bye')\nopen('f', 'w').write('kept')\n7",
                            final=True)
        assert (cell.stdout, cell.value, cell.state_lost) == ("bye\n", "7", False)
        with pytest.raises(glassbell.PolicyError):
            session.exec("1")
        assert session.read("f") == b"kept"


def test_modes_environment_and_input(py):
    py.exec("kept = 1")
    assert py.exec("'kept' in globals()", mode="kernel").value == "True"
    assert py.exec("print('kept' in globals())", mode="process").stdout == "False\n"
    assert py.exec("echo $WHO; cat", mode="shell", env={"WHO": "me"}, stdin="x").stdout == "me\nx"


def test_time_out_and_interrupt(py):
    cell = py.exec("while True: pass", timeout=0.3)
    assert cell.timed_out and not cell.ok
    running = threading.Event()
    cells = []
    thread = threading.Thread(target=lambda: cells.append(py.exec(
        "print('go', flush=True)\nwhile True: pass", on_output=lambda _: running.set())))
    thread.start()
    assert running.wait(60)
    py.interrupt()
    thread.join(60)
    assert cells[0].interrupted and "KeyboardInterrupt" in cells[0].stderr


def test_output_as_it_comes(py):
    pieces = []
    cell = py.exec("print('é' * 100)\nimport sys; print('e', file=sys.stderr)",
                   on_output=pieces.append)
    for stream in ("stdout", "stderr"):
        joined = b"".join(piece.data for piece in pieces if piece.stream == stream)
        assert joined.decode() == getattr(cell, stream)
    assert {piece.cell for piece in pieces} == {cell.cell}


def test_iterator_over_output(py):
    with py.stream("print('a', flush=True)\nimport sys\nprint(sys.stdin.readline())",
                   interactive=True) as execution:
        said = ""
        for piece in execution:
            if isinstance(piece, glassbell.Output):
                said += piece.text
                if said == "a\n":
                    with pytest.raises(glassbell.NotFound):
                        py.stdin("of another cell\n", cell=piece.cell + 1)
                    py.stdin("line\n", eof=True, cell=piece.cell)
        assert said == "a\nline\n\n" == execution.cell.stdout


def test_leaving_an_iterator_interrupts_its_cell(py):
    with py.stream("print('go', flush=True)\nwhile True: pass") as execution:
        for _piece in execution:
            break
    assert execution.cell is None
    assert py.exec("6 * 7").value == "42"  # waits for the one before, which has ended


def test_cancel_from_another_thread(py):
    execution = py.stream("print('go', flush=True)\nwhile True: pass")
    with pytest.raises(glassbell.OutcomeUnknown) as caught:
        execution.finish(lambda _: threading.Thread(target=execution.cancel).start())
    assert caught.value.dispatched and "cancelled" in caught.value.message
    assert py.exec("6 * 7").value == "42"


def test_deadline(py):
    with pytest.raises(glassbell.DeadlineExceeded) as caught:
        py.exec("while True: pass", deadline=0.5)
    assert caught.value.dispatched and isinstance(caught.value, TimeoutError)
    assert py.exec("6 * 7").value == "42"


def test_a_callback_that_fails_ends_the_cell(py):
    def fail(_):
        raise KeyError("of the caller")

    with pytest.raises(KeyError):
        py.exec("print(1, flush=True)\nwhile True: pass", on_output=fail)
    assert py.exec("6 * 7").value == "42"


def test_output_in_the_background(py):
    py.exec("import subprocess\n"
            "p = subprocess.Popen(['sh', '-c', 'read x; echo late'], stdin=subprocess.PIPE)",
            on_output=lambda _: None)
    late = list(py.exec("p.communicate(b'go\\n')").background)
    for _ in range(100):  # it comes with one of the next replies
        if late:
            break
        late += py.exec("pass").background
    assert [(piece.stream, piece.text) for piece in late] == [("stdout", "late\n")]


def test_files(py, tmp_path):
    content = bytes(range(256)) * 40000  # several pieces
    assert py.write("in/data.bin", content) == len(content)
    assert py.read("in/data.bin") == content
    assert py.read("in/data.bin", offset=5, length=3) == content[5:8]
    assert py.stat("in/data.bin").size == len(content)
    assert [(entry.name, entry.type) for entry in py.list("in")] == [("data.bin", "file")]
    py.write("in/text", "é")
    assert py.read_text("in/text") == "é"
    assert py.write("empty", b"") == 0 and py.read("empty") == b""
    py.mkdir("in/deep/er")
    local = tmp_path / "one.txt"
    local.write_text("mine")
    py.upload(local)
    assert py.exec("open('one.txt').read()").value == "'mine'"
    assert py.download("one.txt", tmp_path / "two.txt") == 4
    assert (tmp_path / "two.txt").read_text() == "mine"
    assert py.exists("in") and not py.exists("nothing")
    py.remove("in", recursive=True)
    with pytest.raises(glassbell.NotFound):
        py.stat("in")
    with pytest.raises(glassbell.PolicyError):
        py.read("../../etc/passwd")
    for name in ("empty", "one.txt"):
        py.remove(name)


ODD = [b"\xff\xfe", b"caf\xe9", b"\xc3", b"\xed\xa0\x80", b"a\n\xf0\x9f", b"\xef\xbf\xbd\x80"]


@pytest.mark.parametrize("kind", [bytes, os.fsdecode, lambda name: pathlib.Path(os.fsdecode(name))])
@pytest.mark.parametrize("name", [*ODD, "\ufffd".encode(), b"plain"])
def test_files_of_any_name(py, tmp_path, name, kind):
    folder, inside = kind(b"odd"), kind(b"odd/" + name)
    assert py.write(inside, b"content") == 7 and py.read(inside) == b"content"
    entry, = py.list(folder)
    assert entry.name_bytes == name and entry.name == name.decode(errors="replace")
    assert py.stat(inside).size == 7 and py.exists(inside)
    assert py.download(inside, tmp_path / "local") == 7
    assert py.upload(tmp_path / "local", inside) == 7
    py.remove(inside)
    py.mkdir(inside)
    assert [found.type for found in py.list(folder)] == ["dir"] and py.list(inside) == []
    py.remove(folder, recursive=True)


def test_half_a_pair_is_no_path(py):
    for path in ("\ud83d", "in/\ud800\udc00x"):
        with pytest.raises(glassbell.InvalidInput, match="half a surrogate"):
            py.read(path)


@pytest.mark.parametrize("page", [1, 2, 3, 7, 100])
def test_a_folder_of_odd_names_is_listed_to_its_end(py, monkeypatch, page):
    """Whatever name stands at the end of a page."""
    monkeypatch.setattr("glassbell._sync.session._ENTRIES", page)
    names = sorted([*ODD, "\ufffd".encode(), *(b"\xff%02d" % i for i in range(9)), b"a", b"z"])
    py.exec(f"import os\nos.makedirs('many', exist_ok=True)\n"
            f"for name in {names}: open(b'many/' + name, 'w').close()")
    assert [entry.name_bytes for entry in py.list("many")] == names
    for limit in (0, 1, page, len(names), 1000):
        assert [entry.name_bytes for entry in py.list("many", limit=limit)] == names[:limit]
    if page == 7:
        monkeypatch.setattr("glassbell._sync.session._ENTRIES_MAX", len(names) - 1)
        with pytest.raises(glassbell.TooLarge):
            py.list("many")
    py.remove("many", recursive=True)


@pytest.mark.parametrize("entries", [[], [{"name": "b"}, {"name": "c"}], [{"name": "a"}],
                                     [{"name_base64": "/w=="}]])
def test_a_server_that_lists_in_circles(entries, tmp_path):
    """Each of its pages says that there is another one."""
    path = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()

        def serve():
            peer, _ = listener.accept()
            with peer, peer.makefile("rw", encoding="utf-8") as lines:
                for line in lines:
                    result = {"protocol": 1} if json.loads(line)["method"] == "hello" else {
                        "entries": entries, "more": True, "next": "Yg=="}
                    lines.write(json.dumps({"jsonrpc": "2.0", "id": json.loads(line)["id"],
                                            "result": result}) + "\n")
                    lines.flush()

        threading.Thread(target=serve, daemon=True).start()
        with glassbell.Client(path, autostart=False) as client, pytest.raises(glassbell.ProtocolError):
            client.session("s").list("d")


def test_history_is_searched(fresh):
    session = fresh("shell")
    for code in ("echo one", "echo two >&2", ": one more", "echo $((20 + 1))"):
        session.exec(code)
    assert [cell.cell for cell in session.history(find="one")] == [1, 3]
    assert [cell.cell for cell in session.history(find="one", limit=1)] == [1]
    assert [cell.cell for cell in session.history(find="one", after=1)] == [3]
    assert [cell.cell for cell in session.history(find="21")] == [4]
    assert session.history(find="nowhere") == []


def test_cells_are_annotated(fresh):
    session = fresh("shell")
    for code in ("echo one", "echo two", "echo three"):
        session.exec(code)
    session.annotate(2, bookmark=True, note="the second")
    session.annotate(3, note="the third")
    session.annotate(2, bookmark=False)
    assert [(cell.cell, (cell.annotation or {}).get("note")) for cell in session.history()] == \
        [(1, None), (2, "the second"), (3, "the third")]
    session.annotate(3, note="")
    session.close()
    kept, = session.history(annotated=True)
    assert kept.cell == 2 and kept.annotation == {**(kept.annotation or {}), "bookmark": False, "note": "the second"}
    with pytest.raises(glassbell.NotFound):
        session.annotate(4, bookmark=True)


def test_taking_back(fresh):
    session = fresh("python", checkpoints="asked")
    session.exec("x = [1]")
    kept = session.checkpoint("first")
    assert (kept.seq, kept.cell) == (1, 1) and kept.pages > 0
    session.exec("x.append(2)")
    back = session.undo()
    assert (back.seq, back.cell, back.epoch, back.from_cell) == (1, 1, 2, 2)
    assert session.exec("print(x)").stdout == "[1]\n"
    assert session.rewind(seq=back.from_seq).cell == 2
    assert session.exec("print(x)").stdout == "[1, 2]\n"
    assert session.rewind(name="first").cell == 1
    assert session.redo().cell == 2
    found = session.checkpoints()
    assert [one.name for one in found[:2]] == ["first", None] and sum(one.here for one in found) == 1
    assert found[0].parent is None and found[1].parent == 1
    with pytest.raises(glassbell.Gone) as gone:
        session.rewind(99)
    assert gone.value.data["nearest"]["seq"] in {one.seq for one in found}


def test_forks(fresh):
    session = fresh("python")
    session.exec("x = [1]")
    seq = session.checkpoint("first").seq
    session.exec("x.append(2)")
    one, two = session.fork(2, label="twin")
    (old,) = session.fork(cell=1)
    assert isinstance(one, glassbell.Session) and isinstance(two, glassbell.Session)
    assert isinstance(old, glassbell.Session)
    with one, two, old:
        one.exec("x.append(3)")
        assert [child.exec("print(x)").stdout for child in (session, one, two, old)] == [
            "[1, 2]\n", "[1, 2, 3]\n", "[1, 2]\n", "[1]\n"]
        info = old.get()
        assert info.origin == {"session": session.id, "checkpoint": seq, "cell": 1}
        assert (info.source, info.label, one.get().label) == ("fork", session.get().label, "twin")
        assert session.get().origin is None
    with pytest.raises(glassbell.Gone):
        session.fork(cell=99)
    with pytest.raises(glassbell.InvalidInput):
        session.fork(65)


def test_diff(fresh):
    session = fresh("python")
    session.exec("x, gone = 1, 2")
    session.checkpoint("first")
    session.exec("x = 'one'; del gone; _ = open('f', 'w').write('1'); print('said')")
    told = session.diff(name="first")
    assert {one.name: one.change for one in told.variables} == {"x": "changed", "gone": "removed"}
    changed = told.variables[1]
    assert (changed.before.type, changed.before.repr, changed.after.repr) == ("int", "1", "'one'")
    assert [(one.path, one.path_bytes, one.change) for one in told.files] == [("f", b"f", "added")]
    assert [(one.cell, one.change, one.before, one.after.stdout) for one in told.cells] == [
        (2, "added", None, "said\n")]
    assert told.complete and told.remarks == ()
    assert (told.before.session, told.before.cell, told.after.cell) == (session.id, 1, 2)
    with session.fork(cell=1)[0] as other:
        assert {one.name for one in session.diff(other).variables} == {"x", "gone"}
    with pytest.raises(glassbell.Gone):
        session.diff(cell=99)
    with pytest.raises(glassbell.InvalidInput):
        session.diff(to_cell=-1)


def test_completion(py):
    py.exec("some_name = 1")
    assert "some_name" in py.complete("some_n").matches
    assert py.is_complete("def f():")[0] == "incomplete"
    py.exec("def added(a, *, b=1):\n  'Adds them.'")
    told = py.describe("x = added")
    assert (told.type, told.signature, told.summary) == ("function", "(a, *, b=1)", "Adds them.")
    assert py.describe("nothing_of_the_kind").type == ""


def test_attach_by_key(client, fresh):
    first = fresh("shell", key="of-the-test")
    assert first.created and first.reason == "new"
    first.exec("x=1")
    second = client.open("shell", key="of-the-test")
    assert not second.created and second.id == first.id and second.reason == "attached"
    assert client.session(first.id).exec("echo $x").stdout == "1\n"
    first.close()
    first.close()
    third = fresh("shell", key="of-the-test")
    assert third.created and third.reason == "closed" and third.incarnation > first.incarnation
    with pytest.raises(glassbell.SessionClosed) as caught:
        first.exec("echo")
    assert not caught.value.dispatched


def test_run(client):
    pieces = []
    cell = client.run("echo hi; exit 3", image="shell", on_output=pieces.append)
    assert (cell.stdout, cell.exit_code) == ("hi\n", 3) and cell.raw["source"]
    assert b"".join(piece.data for piece in pieces) == b"hi\n"


@pytest.mark.parametrize("call, kind", [
    (lambda client: client.session("nobody").exec("1"), glassbell.NotFound),
    (lambda client: client.open("no-such-image"), glassbell.GlassbellError),
    (lambda client: client.call("session.open", nonsense=1), glassbell.InvalidInput),
    (lambda client: client.call("no.method"), glassbell.Unsupported),
    (lambda client: client.run("x = '\ud800'"), glassbell.InvalidInput),
    (lambda client: client.run("#" * (5 << 20)), glassbell.GlassbellError),
    (lambda client: client.run("#" * (33 << 20)), glassbell.TooLarge),
    (lambda client: client.call("run", code={1, 2}), glassbell.InvalidInput),
])
def test_what_is_refused_never_ran(client, call, kind):
    with pytest.raises(kind) as caught:
        call(client)
    assert not caught.value.dispatched and caught.value.message
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (type(copy), copy.kind, copy.message) == \
        (type(caught.value), caught.value.kind, caught.value.message)


def test_connections_are_kept_and_shared(client, py):
    def work(number, results):
        results[number] = [py.exec(f"{number} * 1000 + {i}").value for i in range(10)]

    results = {}
    threads = [threading.Thread(target=work, args=(n, results)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert results == {n: [str(n * 1000 + i) for i in range(10)] for n in range(8)}
    before = client.stats()["connections"]
    for _ in range(20):
        py.exec("1")
    assert client.stats()["connections"] == before


def test_fork(client, py):
    py.exec("forked = 0")
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            if py.exec("forked += 1\nforked").value == "1":
                status = 0
        finally:
            os._exit(status)
    assert os.waitpid(pid, 0)[1] == 0
    assert py.exec("forked += 1\nforked").value == "2"


def test_control_c_ends_the_cell(server, py):
    program = (
        "import glassbell, sys\n"
        f"s = glassbell.Client({str(server.socket)!r}, autostart=False).session({py.id!r})\n"
        "s.exec('print(1, flush=True)\\nwhile True: pass',\n"
        "       on_output=lambda _: print('running', flush=True))\n")
    source = pathlib.Path(glassbell.__file__).parents[1]
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, env=dict(os.environ, PYTHONPATH=str(source)))
    assert child.stdout.readline() == b"running\n"
    child.send_signal(signal.SIGINT)
    assert b"KeyboardInterrupt" in child.communicate(timeout=60)[1]
    assert py.exec("6 * 7").value == "42"
