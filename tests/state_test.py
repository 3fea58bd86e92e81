# SPDX-License-Identifier: Apache-2.0
"""What a session keeps from cell to cell, and what it survives."""

import os
import threading

import pytest

from support import Failure, Session, err, out, wait_for


def test_variables_stay(fresh):
    s = fresh()
    s.exec("x = 42")
    cell = s.exec("print(x)")
    assert out(cell) == "42\n" and cell["exit_code"] == 0 and cell["signal"] is None


def test_imports_functions_and_classes_stay(fresh):
    s = fresh()
    s.exec("import math")
    s.exec("def area(r): return round(math.pi*r*r,2)\nclass P: n=3")
    assert out(s.exec("print(area(2), P.n)")) == "12.57 3\n"


def test_javascript_redeclares(fresh):
    s = fresh("javascript")
    s.exec("const a = 10")
    assert out(s.exec("const a = 5; console.log(a)")) == "5\n"
    assert out(s.exec("console.log(a+1)")) == "6\n"
    s.exec("let b = 1; class K { m() { return 7 } }; function f() { return b }")
    assert out(s.exec("let b = 2; class K2 extends K {}; console.log(f(), new K2().m())")) == "2 7\n"


def test_typescript_interfaces_across_cells(fresh):
    s = fresh("javascript")
    s.exec("interface F {n:string;q:number}\nconst mk=(n:string,q:number):F=>({n,q})")
    cell = s.exec("const f:F=mk('apple',3); console.log(f.n+':'+f.q)")
    assert out(cell) == "apple:3\n", err(cell)


def test_shell_keeps_variables_cwd_and_functions(fresh):
    s = fresh("shell")
    s.exec("export K=v; cd /tmp; f(){ echo fn:$1; }")
    assert out(s.exec("echo $K $PWD; f 7")) == "v /tmp\nfn:7\n"


def test_exception_keeps_state(fresh):
    s = fresh()
    s.exec("y=1")
    cell = s.exec("raise ValueError('boom')")
    assert cell["exit_code"] == 1 and "ValueError: boom" in err(cell) and not cell["state_lost"]
    assert out(s.exec("print(y)")) == "1\n"


def test_sys_exit_keeps_state(fresh):
    s = fresh()
    s.exec("z=99")
    assert s.exec("import sys; sys.exit(0)")["exit_code"] == 0
    assert out(s.exec("print(z)")) == "99\n"


def test_syntax_error_keeps_state(fresh):
    s = fresh()
    s.exec("k=5")
    cell = s.exec("def broken(")
    assert cell["exit_code"] == 1 and "SyntaxError" in err(cell)
    assert out(s.exec("print(k)")) == "5\n"


def test_os_exit_loses_state_and_lives(fresh):
    s = fresh()
    s.exec("v=1")
    cell = s.exec("import os; os._exit(3)")
    assert cell["exit_code"] == 3 and cell["state_lost"] and cell["signal"] is None
    assert out(s.exec("print('v' in globals())")) == "False\n"
    assert s.get()["incarnation"] == 2


@pytest.mark.parametrize("image", ["python", "javascript", "shell"])
@pytest.mark.parametrize("code", ["", "   \n", "\t\n\n", "\ufeff"])
def test_nothing_is_an_empty_program(shared, image, code):
    """As an empty file is one for each of the interpreters."""
    cell = shared.get(image).exec(code)
    assert (cell["exit_code"], cell["stdout"], cell["stderr"], cell.get("value")) == (0, "", "", None)


@pytest.mark.parametrize("image", ["python", "javascript", "shell"])
def test_invalid_code_is_refused(shared, image):
    s = shared.get(image)
    with pytest.raises(Failure) as failure:
        s.exec("a\0b")
    assert failure.value.kind == "invalid_input" and failure.value.dispatched is False
    one = {"python": "print(1)", "javascript": "console.log(1)", "shell": "echo 1"}[image]
    assert out(s.exec(one)) == "1\n"


def test_death_by_sigkill_is_told_and_survived(fresh):
    s = fresh()
    s.exec("w=1")
    cell = s.exec("import os,signal; os.kill(os.getpid(),9)")
    assert cell["signal"] == "SIGKILL" and cell["exit_code"] is None and cell["state_lost"]
    assert not cell["oom"]
    assert out(s.exec("print('w' in globals())")) == "False\n"


def test_exit_137_is_just_a_number(fresh):
    s = fresh()
    s.exec("q=1")
    cell = s.exec("import sys; sys.exit(137)")
    assert cell["exit_code"] == 137 and cell["signal"] is None and not cell["state_lost"]
    assert out(s.exec("print(q)")) == "1\n"


def test_timeout_interrupts_and_keeps_state(fresh):
    s = fresh()
    s.exec("t=7")
    cell = s.exec("import time; time.sleep(60)", timeout_ms=1000)
    assert cell["timed_out"] and not cell["state_lost"]
    assert 900 <= cell["wall_ms"] < 4000
    assert out(s.exec("print(t)")) == "7\n"


def test_timeout_kills_what_ignores_the_interrupt(fresh):
    s = fresh()
    cell = s.exec(
        "import signal,time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nprint('in', flush=True)\n"
        "while True: time.sleep(1)", timeout_ms=1000, rollback=False)
    assert cell["timed_out"] and cell["state_lost"] and out(cell) == "in\n"
    assert cell["signal"] == "SIGKILL"
    assert 2900 <= cell["wall_ms"] < 12000
    assert out(s.exec("print('ok')")) == "ok\n"


def test_processes_survive_cells(fresh):
    s = fresh()
    s.exec("import subprocess\np = subprocess.Popen(['sleep', '300'])\nopen('pid','w').write(str(p.pid))")
    assert s.exec("import os\nos.kill(int(open('pid').read()), 0)")["exit_code"] == 0


def test_background_job_does_not_hold_the_cell(sh):
    cell = sh.exec("sleep 60 & echo started")
    assert out(cell) == "started\n" and cell["wall_ms"] < 10000


def test_sessions_do_not_see_each_other(client):
    sessions = [Session(client) for _ in range(4)]
    try:
        for i, s in enumerate(sessions):
            s.exec(f"me = {i}")
        assert [out(s.exec("print(me)")) for s in sessions] == [f"{i}\n" for i in range(4)]
    finally:
        for s in sessions:
            s.close()


def test_nothing_of_a_session_is_in_another(client):
    """Files, output, environment, arguments: as much as a guest may look for is not in its VM."""
    secret = os.urandom(8).hex()
    first = Session(client, "shell", env={"TOKEN": secret}, key=secret)
    second = Session(client, "shell")
    try:
        first.exec(f"echo {secret} >secret; echo {secret}; : $TOKEN; cp secret /tmp/; sleep 600 {secret} & :")
        halves = f"a={secret[:8]}; b={secret[8:]}; "  # so that it does not find itself
        command = halves + 'grep -rlsF -- "$a$b" /home /tmp /run /etc /dev/shm /proc/[0-9]*/environ'
        assert "/home/user/secret" in out(first.exec(command))
        assert out(second.exec(command)) == ""
        assert [entry["name"] for entry in second.call("file.list", path=".")["entries"]
                if entry["name"] == "secret"] == []
    finally:
        first.close()
        second.close()


def test_cells_of_a_session_run_in_order(py):
    pending = [py.send("print('a');import time;time.sleep(.2);print('b')") for _ in range(5)]
    cells = [p.wait() for p in pending]
    assert [out(c) for c in cells] == ["a\nb\n"] * 5
    numbers = [c["cell"] for c in cells]
    assert numbers == sorted(numbers) and len(set(numbers)) == 5


def test_idle_session_closes_itself(client):
    s = Session(client, "shell", idle_ms=1500)
    # A cell that runs longer than idle_ms is not idleness.
    assert out(s.exec("sleep 3; echo still here")) == "still here\n"
    closed = wait_for(lambda: [x for x in [_kind_of(s)] if x == "session_closed"], what="expiry")
    assert closed


def _kind_of(session):
    try:
        session.call("session.get")
        return None
    except Failure as failure:
        return failure.kind if "idle" in str(failure) else f"wrong: {failure}"


def test_lifetime_ends_a_session(client):
    s = Session(client, "shell", lifetime_ms=9000)
    with pytest.raises(Failure) as failure:
        s.exec("sleep 60")
    assert failure.value.kind == "outcome_unknown" and failure.value.dispatched is True
    with pytest.raises(Failure) as failure:
        s.exec("echo no")
    assert failure.value.kind == "session_closed" and "lifetime" in str(failure.value)


@pytest.mark.parametrize("image,code", [
    ("python", "import os; print(os.getcwd(), os.environ['HOME'], os.path.expanduser('~'))"),
    ("javascript", "console.log(process.cwd(), process.env.HOME, require('os').homedir())"),
    ("shell", "cd; echo $PWD $HOME $(echo ~)"),
])
def test_home(fresh, image, code):
    assert out(fresh(image).exec(code)) == "/home/user /home/user /home/user\n"


@pytest.mark.parametrize("image,code", [
    ("python", "import os; print(os.getcwd(), os.path.expanduser('~'))"),
    ("javascript", "console.log(process.cwd(), require('os').homedir())"),
    ("shell", "echo $PWD ~"),
])
def test_home_of_the_callers(fresh, image, code):
    """HOME says where programs look for their settings, of a session or of one cell; code begins where it did."""
    session = fresh(image, env={"HOME": "/tmp/theirs"})
    assert out(session.exec(code)) == "/home/user /tmp/theirs\n"
    assert out(session.exec(code, env={"HOME": "/tmp/other"})) == "/home/user /tmp/other\n"
    assert out(session.exec(code)) == "/home/user /tmp/theirs\n"
    session.write("f", b"x")
    assert out(session.exec("cat /home/user/f" if image == "shell" else
                            "print(open('f').read())" if image == "python" else
                            "console.log(require('fs').readFileSync('f', 'utf8'))")).strip() == "x"


def test_key_attaches(client):
    first = client.call("session.open", image="shell", key="k-attach")
    try:
        assert first["created"] and first["reason"] == "new"
        client.call("session.exec", session=first["session"], code="v=1")
        again = client.call("session.open", image="shell", key="k-attach")
        assert not again["created"] and again["session"] == first["session"]
        assert again["reason"] == "attached" and again["incarnation"] == first["incarnation"]
    finally:
        client.call("session.close", session=first["session"])
    third = client.call("session.open", image="shell", key="k-attach")
    assert third["created"] and third["session"] != first["session"]
    assert third["incarnation"] > first["incarnation"]
    client.call("session.close", session=third["session"])


def test_close_is_idempotent_and_tells_later_callers(client):
    s = Session(client, "shell")
    s.close()
    s.close()
    with pytest.raises(Failure) as failure:
        s.exec("echo 1")
    assert failure.value.kind == "session_closed" and failure.value.dispatched is False


def test_interrupt_keeps_state(fresh):
    s = fresh()
    s.exec("keep = 'me'")
    started = threading.Event()
    s.client.on_note = lambda note: started.set()
    pending = s.send("print('go', flush=True)\nimport time\nwhile True: time.sleep(0.01)", stream=True)
    assert started.wait(60)
    s.client.on_note = None
    s.call("session.interrupt")
    cell = pending.wait()
    assert cell["interrupted"] and not cell["timed_out"] and not cell["state_lost"]
    assert "KeyboardInterrupt" in err(cell)
    assert out(s.exec("print(keep)")) == "me\n"


@pytest.mark.parametrize("image,code", [
    ("python", "import time; time.sleep(60)"), ("python", "while True: pass"), ("shell", "sleep 60"),
    ("javascript", "setTimeout(() => {}, 60000)"), ("javascript", "while (true) {}"),
])
def test_interrupt_on_the_heels_of_the_cell(shared, image, code):
    """It reaches a cell that the interpreter has not even begun, and no other."""
    s = shared.get(image)
    for _ in range(5):
        pending = s.send(code, timeout_ms=50000)
        s.call("session.interrupt")
        cell = pending.wait()
        assert cell["interrupted"] and not cell["timed_out"] and not cell["state_lost"]
        assert s.exec(":" if image == "shell" else "1")["exit_code"] == 0


@pytest.mark.parametrize("image,code", [
    ("python", "import time; time.sleep(60)"), ("python", "while True: pass"), ("shell", "sleep 60"),
    ("shell", "while :; do :; done"), ("javascript", "setTimeout(() => {}, 60000)"), ("javascript", "while (true) {}"),
])
def test_interrupt_on_the_heels_of_an_interrupted_cell(shared, image, code):
    """The interpreter tells one that was left over from one that is meant for the cell that comes."""
    s = shared.get(image)
    for _ in range(5):
        first, second = s.send(code, timeout_ms=50000), s.send(code, timeout_ms=50000)
        for pending in (first, second):
            s.call("session.interrupt")
            cell = pending.wait()
            assert cell["interrupted"] and not cell["timed_out"] and not cell["state_lost"]
        assert s.exec(":" if image == "shell" else "1")["exit_code"] == 0


def test_interrupt_just_before_a_system_call(py):
    """Python looks for signals between calls, and here is one call: first busy, then asleep."""
    started = threading.Event()
    py.client.on_note = lambda note: note["method"] == "cell.output" and started.set()
    pending = py.send("import collections, functools, operator, time\nprint('go', flush=True)\n"
                      "collections.deque(map(operator.call, [functools.partial(sum, range(10**6)),\n"
                      "                                      functools.partial(time.sleep, 600)]), maxlen=0)",
                      stream=True, timeout_ms=50000)
    assert started.wait(60)
    py.call("session.interrupt")
    cell = pending.wait()
    py.client.on_note = None
    assert cell["interrupted"] and not cell["timed_out"] and cell["exit_code"] == 130


def test_interrupt_without_a_cell(py):
    with pytest.raises(Failure) as failure:
        py.call("session.interrupt")
    assert failure.value.kind == "not_found"


@pytest.mark.parametrize("image,code", [
    ("javascript", "console.log('go'); while(true){}"),
    ("shell", "echo go; while :; do :; done"),
])
def test_interrupt_busy_loops(shared, image, code):
    s = shared.get(image)
    s.exec({"javascript": "globalThis.keep = 5", "shell": "keep=5"}[image])
    started = threading.Event()
    s.client.on_note = lambda note: started.set()
    pending = s.send(code, stream=True)
    assert started.wait(60)
    s.client.on_note = None
    s.call("session.interrupt")
    cell = pending.wait()
    assert cell["interrupted"] and cell["exit_code"] == 130 and not cell["state_lost"]
    assert out(s.exec({"javascript": "console.log(keep)", "shell": "echo $keep"}[image])) == "5\n"
