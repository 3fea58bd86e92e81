# SPDX-License-Identifier: Apache-2.0
"""Processes, signals and limits inside the guest."""

import pytest

from support import err, out


def test_forked_children_exit_quietly(py):
    cell = py.exec("import os,sys\npids=[]\nfor _ in range(20):\n p=os.fork()\n if p==0: sys.exit(0)\n"
                   " pids.append(p)\nfor p in pids: os.waitpid(p,0)\nprint('PARENT_DONE:%d'%len(pids))")
    assert out(cell) == "PARENT_DONE:20\n" and cell["exit_code"] == 0


def test_child_that_falls_through(py):
    cell = py.exec("import os\np=os.fork()\nif p==0:\n print('child')\nelse:\n os.waitpid(p,0)\n print('parent')")
    assert out(cell) == "child\nparent\n" and cell["exit_code"] == 0
    assert out(py.exec("print('next')")) == "next\n"


def test_sleeping_children_do_not_disturb_the_next_cell(py):
    py.exec("import os,time\nfor _ in range(3):\n if os.fork()==0:\n  time.sleep(2); os._exit(0)")
    cell = py.exec("print('next')")
    assert out(cell) == "next\n" and cell["exit_code"] == 0


def test_exit_code_is_the_parents(py):
    cell = py.exec("import os,sys\np=os.fork()\nif p==0: sys.exit(99)\nos.waitpid(p,0)")
    assert cell["exit_code"] == 0


def test_multiprocessing(py):
    cell = py.exec("from multiprocessing import Pool\ndef f(x): return x*x\n"
                   "with Pool(2) as p: print(p.map(f,[1,2,3,4,5]))", timeout_ms=60000)
    assert out(cell) == "[1, 4, 9, 16, 25]\n", err(cell)


def test_segmentation_fault(fresh):
    s = fresh()
    cell = s.exec("import ctypes; ctypes.string_at(0)")
    assert cell["signal"] == "SIGSEGV" and cell["exit_code"] is None and cell["state_lost"]
    assert out(s.exec("print('alive')")) == "alive\n"


def test_interrupt_handler_ends_the_cell_in_its_own_way(fresh):
    cell = fresh().exec("import signal,sys,time\ndef h(*_):\n print('GOT',flush=True); sys.exit(42)\n"
                        "signal.signal(signal.SIGINT,h)\ntime.sleep(60)", timeout_ms=1000)
    assert out(cell) == "GOT\n" and cell["exit_code"] == 42 and cell["timed_out"]


def test_process_tree_dies_with_the_timeout(fresh):
    s = fresh("shell")
    cell = s.exec("(sleep 301; (sleep 302 & (sleep 303; sleep 304) & wait)) & (sleep 305; true) & wait",
                  timeout_ms=1000)
    assert cell["timed_out"]
    left = out(s.exec("ps -eo args | grep -c '^sleep 30[1-5]' || true"))
    assert left == "0\n"


def test_orphans_are_reaped(py):
    code = ("import os,time\nfor i in range(50):\n p=os.fork()\n if p==0:\n  q=os.fork()\n"
            "  if q==0: os._exit(0)\n  os._exit(0)\n os.waitpid(p,0)\n"
            "end=time.time()+20\nwhile time.time()<end:\n"
            " z=0\n for d in os.listdir('/proc'):\n  try: z+=d.isdigit() and ') Z 1 ' in open(f'/proc/{d}/stat').read()\n"
            "  except OSError: pass\n"
            " if z==0: break\nprint(z)")
    assert out(py.exec(code, timeout_ms=60000)) == "0\n"


def test_daemon_belongs_to_init(py):
    code = ("import os,time\nr,w=os.pipe()\np=os.fork()\nif p==0:\n if os.fork()==0:\n"
            "  while os.getppid()!=1: time.sleep(.01)\n  os.write(w,str(os.getppid()).encode()); os._exit(0)\n"
            " os._exit(0)\nos.waitpid(p,0)\nprint(os.read(r,9).decode())")
    assert out(py.exec(code)) == "1\n"


def test_memory_hog_ends_alone(fresh, sh):
    s = fresh()
    cell = s.exec("import os\na=[]\nwhile True: a.append(os.urandom(1<<20))", timeout_ms=60000,
                  rollback=False)
    assert cell["oom"] or "MemoryError" in err(cell), cell
    assert cell["oom"] == (cell["signal"] == "SIGKILL")
    assert cell["wall_ms"] < 30000
    assert out(s.exec("print('again')")) == "again\n"
    assert out(sh.exec("echo untouched")) == "untouched\n"


def test_memory_hoarded_in_small_pieces(fresh):
    """It leaves the interpreter no room for its own code, which is read again for each step; without somebody
    who looks at that, the cell stands still until its time is over."""
    s = fresh()
    cell = s.exec("import os\na=[]\nwhile True: a.append(os.urandom(1<<16))", timeout_ms=200000,
                  rollback=False)
    assert cell["oom"] and cell["signal"] == "SIGKILL" and not cell["timed_out"], cell
    assert out(s.exec("print('again')")) == "again\n"


def test_who_reads_much_is_not_short_of_memory(fresh):
    """What is read goes through the same memory, and meets its limit all the time."""
    s = fresh()
    scanned = "int(re.search(r'workingset_refault_file (\\d+)', open('/proc/vmstat').read())[1])"
    available = "int(re.search(r'MemAvailable: *(\\d+) kB', open('/proc/meminfo').read())[1]) << 10"
    cell = s.exec(f"import glob, re\nbefore = {scanned}\nb = bytearray(({available}) * 6 // 10)\nn = 0\n"
                  "for _ in range(6):\n"
                  "  for name in glob.glob('/usr/lib/python3*/**/*.p*', recursive=True):\n"
                  "    n += len(open(name, 'rb').read())\n"
                  f"print(n > 1e8, {scanned} - before > 1000)",
                  timeout_ms=200000)
    assert out(cell) == "True True\n" and cell["exit_code"] == 0, cell


def test_a_cell_without_memory_takes_what_it_started_along(fresh):
    s = fresh()
    start = "import subprocess; {0} = subprocess.Popen(['sleep', '1000']); print({0}.pid)"
    older = int(out(s.exec(start.format("older"))))
    hog = "import os; a = []\nwhile True: a.append(os.urandom(1 << 20))"
    cell = s.exec(start.format("newer") + f"\nsubprocess.run(['python3', '-c', {hog!r}])", timeout_ms=60000,
                  rollback=False)
    assert cell["oom"], cell
    newer = int(out(cell))
    alive = "import os\ndef alive(pid):\n try: return open(f'/proc/{pid}/stat').read().split()[2] != 'Z'\n except OSError: return False\n"
    assert out(s.exec(alive + f"print(alive({older}), alive({newer}))")) == "True False\n"


FORKING = "while True:\n try:\n  {}\n except (OSError, MemoryError): pass"
NODES = ("const {spawn} = require('node:child_process'), fs = require('node:fs')\n"
         "fs.writeFileSync('bomb.js', `const {spawn} = require('node:child_process')\n"
         "const more = () => spawn(process.execPath, ['bomb.js'], {stdio: 'ignore', detached: true}).on('error', () => 0)\n"
         "setInterval(() => { more(); more() }, 20)`)\n"
         "spawn(process.execPath, ['bomb.js'], {stdio: 'ignore', detached: true})\nsetInterval(() => 0, 1000)")


@pytest.mark.parametrize("image,code", [
    pytest.param("shell", "bomb() { bomb | bomb & }; bomb; sleep 2; echo over", id="goes on behind its cell"),
    pytest.param("shell", "trap '' INT TERM HUP URG; bomb() { bomb | bomb & bomb; }; bomb", id="ignores signals"),
    pytest.param("python", "import os\n" + FORKING.format("os.fork()"), id="forks"),
    pytest.param("python", "import os, signal\nfor n in signal.valid_signals() - {9, 19}: signal.signal(n, 1)\n" +
                 FORKING.format("os.fork() or os.setsid()"), id="sessions of their own that ignore signals"),
    pytest.param("python", "import os\na = []\n" + FORKING.format("os.fork(); a.append(os.urandom(1 << 16))"),
                 id="takes memory"),
    pytest.param("javascript", NODES, id="processes of node"),
])
def test_fork_bomb_is_bounded(fresh, image, code):
    s = fresh(image)
    cell = s.exec(code, timeout_ms=6000, rollback=False)  # to see what the guest itself does about it
    assert cell["timed_out"] or cell["oom"] or cell["exit_code"] is not None, cell
    assert (cell["exit_code"] is None) == (cell["signal"] is not None), cell
    # An interpreter that finds no room for a process or thread may also end by itself, with a status.
    assert cell["state_lost"] or cell["signal"] is None, cell
    assert s.call("file.list", path=".")["entries"] is not None  # the agent answers
    if not cell["timed_out"] and not cell["oom"]:  # else what it has started went with it
        s.exec("kill -KILL -1", timeout_ms=30000)
    assert out(s.exec("echo fine", timeout_ms=30000, mode="shell")) == "fine\n"
    if cell["timed_out"]:  # nothing of it goes on behind its back
        few = s.exec("until [ $(ps -e --no-headers | wc -l) -lt 9 ]; do sleep 0.1; done", mode="shell", timeout_ms=30000)
        assert few["exit_code"] == 0, few


def test_a_cell_waits_for_its_interpreter_within_bounds(fresh):
    """Whoever keeps the interpreter from starting gets a cell that did not begin, and not a dead session."""
    s = fresh()
    s.exec("import os, subprocess\nstop = subprocess.Popen(['bash', '-c', 'while :; do p=$(pgrep -n python3); '\n"
           "  f'[ \"$p\" = {os.getpid()} ] || kill -STOP $p; done'])")
    cell = s.exec("print('begun')", mode="process", timeout_ms=1000, rollback=False)
    assert cell["timed_out"] and out(cell) == "" and cell["exit_code"] is None, cell
    s.exec("stop.kill(); stop.wait(); subprocess.run(['pkill', '-KILL', '-n', 'python3'])")
    assert out(s.exec("print('begun')", mode="process", timeout_ms=30000)) == "begun\n"


def test_thread_bomb_is_bounded(fresh):
    s = fresh()
    cell = s.exec("import threading\nn=0\ne=threading.Event()\ntry:\n while True:\n"
                  "  threading.Thread(target=e.wait,daemon=True).start(); n+=1\n"
                  "except RuntimeError: print(n<=1024)\nfinally: e.set()", timeout_ms=120000)
    assert out(cell) == "True\n", err(cell)
    assert out(s.exec("print('answers')")) == "answers\n"


def test_stdin_is_at_its_end(py, js, sh):
    assert "EOFError" in err(py.exec("input()"))
    assert out(py.exec("import sys; print(repr(sys.stdin.read()))")) == "''\n"
    assert out(sh.exec("if ! read x; then echo EOF; fi")) == "EOF\n"
    assert out(js.exec("console.log(process.stdin.read())")) == "null\n"
    assert out(py.exec("import os; print(os.read(0,10))")) == "b''\n"


def test_stdin_given_at_once(py, js, sh):
    assert out(py.exec("print(input()+'|'+input())", stdin="a\nb\n")) == "a|b\n"
    assert out(sh.exec("cat", stdin="from outside")) == "from outside"
    code = "let t=''; for await (const c of process.stdin) t += c; console.log(t.toUpperCase())"
    assert out(js.exec(code, stdin="shout")) == "SHOUT\n"


def test_interactive_stdin(fresh):
    s = fresh()
    pending = s.send("a=input('name? ')\nb=input()\nprint(a,b)", interactive=True, stream=True)
    assert s.note()["text"] == "name? "
    from support import wait_for
    wait_for(lambda: s.get()["state"] == "waiting_input", what="waiting_input")
    s.call("session.stdin", text="x\n")
    s.call("session.stdin", text="y\n", eof=True)
    assert out(pending.wait()) == "name? x y\n"


def test_recursion(py):
    cell = py.exec("def f(n): return f(n-1) if n else 0\nf(50000)")
    assert cell["exit_code"] == 1 and "RecursionError" in err(cell)
    assert out(py.exec("print('alive')")) == "alive\n"


def test_broadcast_kill_leaves_the_agent(fresh):
    s = fresh()
    s.exec("import os\nos.kill(-1, 9)")
    assert out(s.exec("print('alive')")) == "alive\n"


def test_pid_1_cannot_be_signalled(py):
    cell = py.exec("import os\nbad=[]\nfor n in range(1,32):\n try: os.kill(1,n); bad.append(n)\n"
                   " except PermissionError: pass\nprint(bad)")
    assert out(cell) == "[]\n"


def test_many_digits(py):
    assert out(py.exec("print(len(str(10**100000)))")) == "100001\n"


def test_user_code_is_nobody_special(py):
    code = ("import os,ctypes,socket\nlibc=ctypes.CDLL(None,use_errno=True)\n"
            "print(os.getuid(),os.getgid(),os.getgroups())\n"
            "print([l.split()[1] for l in open('/proc/self/status') if l.startswith('Cap')])\n"
            "print(libc.mount(b'none',b'/tmp',b'tmpfs',0,None))\n"
            "for f in (lambda: os.chown('/tmp',0,0), lambda: socket.socket(socket.AF_PACKET,socket.SOCK_RAW),\n"
            "          lambda: socket.socket().bind(('127.0.0.1',80)), lambda: open('/etc/passwd','a'),\n"
            "          lambda: open('/usr/x','w'), lambda: open('/proc/sys/kernel/hostname','w')):\n"
            " try: f(); print('allowed')\n except OSError as e: print('refused')")
    lines = out(py.exec(code)).splitlines()
    assert lines[0] == "1000 1000 [1000]" or lines[0] == "1000 1000 []"
    assert set(eval(lines[1])) == {"0000000000000000"}
    assert lines[2] == "-1" and lines[3:] == ["refused"] * 6


def test_no_network(py):
    code = ("import socket\nprint(sorted(n for _,n in socket.if_nameindex()))\n"
            "try: socket.create_connection(('192.0.2.1',80),2); print('connected')\n"
            "except OSError as e: print('no')\n"
            "s=socket.socket(); s.bind(('127.0.0.1',0)); s.listen()\n"
            "c=socket.create_connection(s.getsockname()); print('loopback')")
    assert out(py.exec(code)) == "['lo']\nno\nloopback\n"


@pytest.mark.parametrize("name,value", [("LD_PRELOAD", "x"), ("PATH", "/tmp"), ("PYTHONPATH", "x"),
                                        ("NODE_OPTIONS", "x"), ("bash_env", "x"), ("Ps4", "x"), ("A", "a\nb"), ("A", "\x1b"),
                                        ("1A", "x"), ("", "x"), ("A=B", "x"), ("A", "x" * 5000)])
def test_environment_rules(py, name, value):
    from support import Failure
    with pytest.raises(Failure) as failure:
        py.exec("1", env={name: value})
    assert failure.value.kind in ("invalid_input", "too_large") and failure.value.dispatched is False


def test_environment_of_session_and_cell(fresh):
    s = fresh("shell", env={"A": "é\tb"})
    assert out(s.exec("echo \"$A\" $B", env={"B": "cell"})) == "é\tb cell\n"
    assert out(s.exec("echo \"$A\" [$B]")) == "é\tb []\n"


def test_process_mode_is_a_fresh_interpreter(py):
    py.exec("here = 1")
    cell = py.exec("print('here' in globals())", mode="process")
    assert out(cell) == "False\n" and not cell["state_lost"]
    assert out(py.exec("print(here)")) == "1\n"
    assert py.exec("import sys; sys.exit(3)", mode="process")["exit_code"] == 3


def test_shell_mode_beside_the_kernel(py):
    py.exec("open('from_py','w').write('hello')")
    assert out(py.exec("cat from_py; v=2", mode="shell")) == "hello"
    assert out(py.exec("echo $v", mode="shell")) == "2\n"
