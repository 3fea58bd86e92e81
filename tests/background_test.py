# SPDX-License-Identifier: Apache-2.0
"""What a cell leaves running belongs to no later one: neither its time-out nor its interrupt reaches it."""

import pytest

from support import err, out

# For each language: start a process that lives on and print its pid; start one and wait for it; spin.
START = {
    "python": "import subprocess; old = subprocess.Popen(['sleep', '1000']); print(old.pid)",
    "javascript": "var old = require('child_process').spawn('sleep', ['1000'], {stdio: 'ignore'}); old.unref(); console.log(old.pid)",
    "shell": "sleep 1000 & echo $!",
}
WAIT = {
    "python": "subprocess.run(['sleep', '1001'])",
    "javascript": "require('child_process').spawnSync('sleep', ['1001'])",
    "shell": "sleep 1001",
}
DEAF = {  # ignores the interrupt, so that it ends by SIGKILL and takes its interpreter along
    "python": "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); subprocess.run(['sleep', '1001'])",
    "javascript": "process.on('SIGINT', () => {}); for (;;) {}",
    "shell": "trap '' INT; while :; do :; done",
}
IMAGES = sorted(START)


def living(session, *pids):
    """Which of the processes are alive, told by the session's shell."""
    listed = out(session.exec("ps -eo pid=,stat= | grep -v Z || true", mode="shell")).split()
    return [str(pid) in listed for pid in pids]


def pid_of(session, code):
    return int(out(session.exec(code)))


@pytest.mark.parametrize("image", IMAGES)
def test_time_out_spares_what_is_older(fresh, image):
    s = fresh(image)
    old = pid_of(s, START[image])
    cell = s.exec(WAIT[image], timeout_ms=500)
    assert cell["timed_out"], cell
    assert living(s, old) == [True]
    assert out(s.exec("pgrep -fc '^sleep 1001$' || true", mode="shell")) == "0\n"


@pytest.mark.parametrize("image", IMAGES)
def test_time_out_that_kills_the_interpreter_spares_what_is_older(fresh, image):
    s = fresh(image)
    old = pid_of(s, START[image])
    cell = s.exec(DEAF[image], timeout_ms=500, rollback=False)
    assert cell["timed_out"] and cell["state_lost"], cell
    assert living(s, old) == [True]


@pytest.mark.parametrize("image", IMAGES)
def test_both_cells_are_sent_at_once(fresh, image):
    """The clock by which processes are born has ticks of 10 ms, within which both cells begin."""
    s = fresh(image)
    if image == "python":
        s.exec("import subprocess")
    for _ in range(12):
        first, second = s.send(START[image]), s.send(WAIT[image], timeout_ms=100)
        old = int(out(first.wait()))
        assert second.wait()["timed_out"]
        assert living(s, old) == [True]


def test_children_that_an_older_process_starts_later_are_spared(fresh):
    """What a background process starts belongs to it, however late."""
    s = fresh("shell")
    s.exec("(while :; do sleep 0.05; echo >> beats; done) & "
           "(until [ -e go ]; do sleep 0.05; done; sleep 1000 & echo $! > late; wait) & true")
    assert s.exec("touch go; until [ -s late ]; do sleep 0.05; done; cat late; sleep 1001", timeout_ms=3000)["timed_out"]
    late = int(out(s.exec("cat late")))
    assert living(s, late) == [True]
    assert out(s.exec("a=$(wc -l < beats); until [ $(wc -l < beats) -gt $a ]; do sleep 0.05; done; echo beats on",
                      timeout_ms=30000)) == "beats on\n"


def test_a_child_of_an_older_cell_gets_no_signal(fresh):
    """Neither by a time-out nor by an interrupt, although it is in the interpreter's process group."""
    s = fresh()
    s.exec("import subprocess, sys, time\n"
           "old = subprocess.Popen([sys.executable, '-c', '''import signal, time, os\n"
           "signal.signal(signal.SIGINT, lambda *_: open(\"hit\", \"a\").write(\"x\"))\n"
           "open(\"ready\", \"w\").close()\nwhile True: time.sleep(1)'''])\n"
           "import os\nwhile not os.path.exists('ready'): time.sleep(0.01)")
    assert s.exec("time.sleep(60)", timeout_ms=300)["timed_out"]
    cell = s.send("print('on', flush=True); time.sleep(60)", stream=True)
    s.note()
    s.call("session.interrupt")
    assert cell.wait()["interrupted"]
    assert out(s.exec("print(old.poll(), os.path.exists('hit'))")) == "None False\n"


def test_a_child_of_the_running_cell_gets_the_interrupt(fresh):
    """Also when something older is in the same process group, and its own children do."""
    s = fresh()
    s.exec("import subprocess, sys, time\nold = subprocess.Popen(['sleep', '1000'])")
    script = ("import signal, subprocess, sys, time\n"
              "def hit(*_): open(sys.argv[1], 'w').write('hit'); sys.exit(7)\n"
              "signal.signal(signal.SIGINT, hit)\n"
              "if sys.argv[1] == 'outer': subprocess.Popen([sys.executable, __file__, 'inner'])\n"
              "else: print('ready', flush=True)\n"
              "while True: time.sleep(1)\n")
    s.write("child.py", script.encode())
    cell = s.send("subprocess.call([sys.executable, 'child.py', 'outer'])", stream=True)
    s.note()
    s.call("session.interrupt")
    assert cell.wait()["interrupted"]
    assert out(s.exec("import os\nwhile not (os.path.exists('outer') and os.path.exists('inner')): time.sleep(0.01)\n"
                      "print(open('outer').read(), open('inner').read(), old.poll())", timeout_ms=30000)) == "hit hit None\n"


def test_many_processes_are_set_aside(fresh):
    """More than one read of the kernel's list holds, while some of them start others."""
    s = fresh("shell", memory_mb=512)
    cell = s.exec("for i in $(seq 300); do sleep 1000 & done; (while :; do sleep 0.01; done) & echo $!")
    spawner = int(out(cell))
    assert s.exec("sleep 1001", timeout_ms=500)["timed_out"]
    assert out(s.exec("pgrep -fc '^sleep 1000$'")) == "300\n"
    assert living(s, spawner) == [True]


def test_background_of_a_cell_in_a_process_of_its_own(fresh):
    s = fresh()
    old = int(out(s.exec(START["python"], mode="process")))
    assert s.exec("import time; time.sleep(60)", timeout_ms=300)["timed_out"]
    assert s.exec("import time; time.sleep(60)", timeout_ms=300, mode="process")["timed_out"]
    assert living(s, old) == [True]


def test_what_is_left_counts_and_ends_with_the_session(fresh):
    """Its memory is the session's, and so is the limit: the largest process pays for it, wherever it is."""
    s = fresh()
    s.exec("import subprocess, sys\nold = subprocess.Popen([sys.executable, '-c', "
           "'import time\\na = bytearray(60 << 20)\\nopen(\"full\", \"w\").close()\\ntime.sleep(1000)'])\n"
           "import os, time\nwhile not os.path.exists('full'): time.sleep(0.01)")
    cell = s.exec("a = []\nwhile True: a.append(os.urandom(1 << 20))", timeout_ms=60000, rollback=False)
    assert cell["oom"] or "MemoryError" in err(cell), cell
    assert out(s.exec("print('goes on')")) == "goes on\n"
