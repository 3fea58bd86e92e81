# SPDX-License-Identifier: Apache-2.0
"""Where others fail: section G of the reference, with the right answers."""

from support import err, out


def test_names_of_the_user_are_the_users(py):
    assert py.exec("exit_code = 7")["exit_code"] == 0
    cell = py.exec("sentinel_id = 'q'; code = header = ns = sys = 1; print('ok')")
    assert out(cell) == "ok\n" and cell["exit_code"] == 0


def test_nothing_of_ours_in_the_namespace(fresh):
    names = out(fresh().exec("print(sorted(n for n in globals() if not n.startswith('__')))"))
    assert names == "[]\n"


def test_e_is_kept_after_exit(fresh):
    s = fresh()
    s.exec("e = 5")
    s.exec("import sys; sys.exit(0)")
    assert out(s.exec("print(e)")) == "5\n"


def test_annotations_are_real(py):
    cell = py.exec("import dataclasses\n@dataclasses.dataclass\nclass D:\n x: int\ndef f(a: str): pass\n"
                   "print(dataclasses.fields(D)[0].type, f.__annotations__)")
    assert out(cell) == "<class 'int'> {'a': <class 'str'>}\n"


def test_exit_message_is_printed(py):
    cell = py.exec("import sys; sys.exit('fatal: msg')")
    assert err(cell) == "fatal: msg\n" and cell["exit_code"] == 1


def test_exit_codes_are_masked(py):
    cell = py.exec("import sys; sys.exit(-1)")
    assert cell["exit_code"] == 255 and not cell["timed_out"]
    assert py.exec("import sys; sys.exit(256)")["exit_code"] == 0


def test_replaced_stderr_harms_nothing(fresh):
    s = fresh()
    s.exec("import sys,io; sys.stderr = io.StringIO()")
    cell = s.exec("print('still')")
    assert out(cell) == "still\n" and not cell["timed_out"] and not cell["state_lost"]


def test_closed_stdout_harms_nothing(fresh):
    s = fresh()
    s.exec("kept = 1\nimport sys; sys.stdout.close()")
    assert out(s.exec("print('back', kept)")) == "back 1\n"
    s.exec("import os; os.close(1); os.close(2)")
    assert out(s.exec("print('again', kept)")) == "again 1\n"


def test_forging_the_end_of_a_cell(fresh):
    s = fresh()
    cell = s.exec("import os\nfor fd in range(3, 64):\n try: os.write(fd, b'\\x00'*64)\n except OSError: pass\n"
                  "import time; time.sleep(0.2); print('end')")
    assert out(cell) == "end\n" and cell["exit_code"] == 0


def test_failing_set_e_keeps_the_shell(fresh):
    s = fresh("shell")
    s.exec("v=kept; set -e")
    cell = s.exec("false; echo never")
    assert cell["exit_code"] == 1 and out(cell) == "" and not cell["state_lost"]
    assert out(s.exec("echo alive $v")) == "alive kept\n"


def test_shell_redirects_itself(fresh):
    s = fresh("shell")
    cell = s.exec("exec 2>/dev/null; echo out; echo hidden >&2")
    assert out(cell) == "out\n" and not cell["timed_out"]
    assert out(s.exec("echo next")) == "next\n"


def test_shell_exit_keeps_the_shell(fresh):
    s = fresh("shell")
    cell = s.exec("VAR=v; exit 3")
    assert cell["exit_code"] == 3
    assert out(s.exec("echo $VAR")) == "v\n"


def test_uploaded_modules_import(fresh):
    s = fresh()
    s.write("mymod.py", b"def answer(): return 42\n")
    s.call("file.mkdir", path="pkg")
    s.write("pkg/__init__.py", b"name = 'pkg'\n")
    assert out(s.exec("import mymod, pkg; print(mymod.answer(), pkg.name)")) == "42 pkg\n"


def test_tracebacks_show_the_users_lines_only(py):
    cell = py.exec("def inner():\n    return 1 / 0  # the culprit\n\ninner()")
    assert "1 / 0  # the culprit" in err(cell) and "glassbell" not in err(cell)
    assert err(cell).count("File ") == 2
    assert out(py.exec("import inspect; print(inspect.getsource(inner))")).startswith("def inner():")


def test_files_are_served_while_a_cell_runs(fresh):
    s = fresh()
    s.write("seen.txt", b"content")
    pending = s.send("import time\nprint('go')\ntime.sleep(600)", stream=True, timeout_ms=700000)
    assert s.note()
    assert s.read("seen.txt") == b"content" and not pending.done()
    s.call("session.interrupt")
    assert pending.wait()["interrupted"]


def test_queued_cells_can_be_abandoned(server, fresh):
    s = fresh()
    with server.client() as other:
        running = other.send("session.exec", session=s.id, code="import time; time.sleep(60)", stream=True)
        waiting = other.send("session.exec", session=s.id, code="open('never','w')")
        assert not running.done() and not waiting.done()
    # The connection is gone: its cells are interrupted or dropped, the session stays.
    assert out(s.exec("import os; print(os.path.exists('never'))")) == "False\n"
