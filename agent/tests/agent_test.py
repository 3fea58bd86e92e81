# SPDX-License-Identifier: Apache-2.0
"""The agent in a real guest: what a host sees through the port. Files: agent_files_test.py."""

import re
import struct
import time

import guest as g
import pytest
from box import (BUSY, INTERNAL, INVALID, NOT_FOUND, boot, configure, configure_start,
                 needs_guest, refused, write)
from guest import PROCESS, SHELL, Fields, Refused, blob

pytestmark = needs_guest


# Cells


def test_output_and_exit_code(vm):
    done = vm.exec("import sys; print('out'); print('err', file=sys.stderr); sys.exit(7)")
    assert (done.out, done.err, done.exit_code, done.flags) == (b"out\n", b"err\n", 7, 0)
    assert done.wall_ns > 0 and done.peak_memory > 1 << 20 and done.note == ""


def test_bytes_are_exact(vm):
    done = vm.exec("import os\nfor i in range(64): os.write(1, bytes(range(256)) * 64)")
    assert done.out == bytes(range(256)) * 4096


def test_state_is_kept_and_env_is_the_cell_s(vm):
    vm.exec("x = 42")
    assert vm.exec("import os; print(x, os.environ['A'])", env={"A": "b\nc"}).out == b"42 b\nc\n"


def test_a_program_is_put_into_its_file(vm):
    code = b"#!/x\nimport os; print(file, argv, oct(os.stat(file).st_mode & 0o777))"
    done = vm.exec(code, flags=4, file="deep/a b.py", argv=[b"a b.py", b"", b"\xff"])
    assert done.out == b"b'/home/user/deep/a b.py' [b'a b.py', b'', b'\\xff'] 0o755\n"
    assert done.changed == []  # the host's own doing
    # As it is there, now; and one that is not there is the worker's affair.
    assert vm.exec(b"", file="/home/user/deep/a b.py").out == b"b'/home/user/deep/a b.py' [] 0o755\n"
    # One that cannot be made: nothing runs.
    done = vm.exec(b"print(1)", flags=4, file="deep")
    assert (done.exit_code, done.out, done.flags) == (-1, b"", 0) and "the file" in done.note
    refused(INVALID, lambda: vm.exec(b"print(1)", flags=4))
    done = vm.exec(b"print(1)", flags=4, file="../x")
    assert (done.exit_code, done.out, done.flags) == (-1, b"", 0) and "home" in done.note
    refused(INVALID, lambda: vm.exec(b"print(1)", raw_argv=b"no end"))
    vm.exec("import shutil; shutil.rmtree('/home/user/deep')")


ENDING = ("import os, struct\n"
          "cell.sendall(struct.pack('<IBBH', 10, 10, 0, 0) + struct.pack('<IBI', number, 1, 1) + b'7')\n")


def test_a_cell_of_a_process_ends_with_it(vm):
    done = vm.exec(ENDING + "print('after'); import sys; sys.stdout.flush(); os._exit(5)", mode=PROCESS)
    assert (done.out, done.exit_code, done.value, done.flags) == (b"after\n", 5, b"7", 16)  # no state was lost
    done = vm.exec("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", mode=PROCESS)
    assert (done.exit_code, done.signal, done.flags) == (-1, 15, 0)


def test_only_a_final_cell_may_say_that_it_ends(vm):
    done = vm.exec(ENDING + "import time; time.sleep(60)")
    assert done.flags & 8 and done.signal == 9 and "not final" in done.note
    vm.ready()


def test_output_is_streamed(vm):
    started = vm.exec_start("import time; print('a', flush=True); time.sleep(1.5); print('b')")
    begin = time.monotonic()
    first = vm.wait(lambda f: f.type == "OUTPUT")
    assert first.payload == b"a\n" and time.monotonic() - begin < 1.2
    assert vm.exec_wait(started).out == b"b\n"


def test_caps_drop_and_count(vm):
    done = vm.exec("import os\nfor i in range(100): os.write(1, b'x' * 10000)\nos.write(2, b'e' * 500)",
                   max_stdout=123456, max_stderr=100)
    assert done.out == b"x" * 123456 and done.err == b"e" * 100
    assert done.dropped == (1000000 - 123456, 400) and done.exit_code == 0


def test_flood_of_a_gigabyte(vm):
    begin = time.monotonic()
    done = vm.exec("import os\nb = b'x' * 65536\nfor i in range(16384): os.write(1, b)",
                   max_stdout=1 << 20, timeout_ms=120000, timeout=120)
    assert len(done.out) == 1 << 20 and done.dropped[0] == (1 << 30) - (1 << 20)
    print(f"1 GiB in {time.monotonic() - begin:.1f} s")


def test_window_stops_the_program(vm):
    started = vm.exec_start("import os\nfor i in range(48): os.write(1, b'y' * 65536)",
                            max_stdout=64 << 20)
    seen = taken = 0
    while True:
        frame = vm.receive(2)
        if frame is None:
            break
        assert frame.type == "OUTPUT"
        seen += len(frame.payload)
        taken += g.cost(frame)
        last = frame
    assert g.STREAM_WINDOW - g.COST <= taken <= g.STREAM_WINDOW
    assert vm.ask("PING").type == "PONG"
    vm.credit(last, taken)
    assert len(vm.exec_wait(started).out) + seen == 48 * 65536


def test_stdin(vm):
    assert vm.exec("import sys; print(repr(sys.stdin.read()))").out == b"''\n"
    text = b"z" * 300000
    code = "import os\nn = 0\nwhile (b := os.read(0, 65536)): n += len(b)\nprint(n)"
    assert vm.exec(code, stdin=text).out == b"300000\n"
    started = vm.exec_start("print(open(0, closefd=False).read())", flags=1)
    vm.give(started[0], b"one ")
    vm.give(started[0], b"two", eof=True)
    assert vm.exec_wait(started).out == b"one two\n"
    # Of a cell that has ended, of one that there is not, of one that takes none: nobody reads it.
    running = vm.exec_start("import time; time.sleep(1)")
    for cell in (started[0], 4711, running[0]):
        vm.open_stdin(cell)
        vm.give(cell, b"x", eof=True)
        assert vm.ask("PING").type == "PONG"
        assert vm.given_up[vm.inputs[cell]].code == NOT_FOUND
    vm.exec_wait(running)


def test_stdin_that_is_not_read_to_its_end(vm):
    """The stream is given up before the end of its cell, and what comes behind is nobody's."""
    started = vm.exec_start("import os\nprint(os.read(0, 3), flush=True)\nos.close(0)", flags=1)
    vm.give(started[0], b"abc")
    assert vm.exec_wait(started).out == b"b'abc'\n"
    assert vm.given_up[vm.inputs[started[0]]].code == NOT_FOUND


def test_stdin_that_came_with_the_cell_takes_no_window(vm):
    code = "import os\nn = 0\nwhile (b := os.read(0, 65536)): n += len(b)\nprint(n)"
    started = vm.exec_start(code, stdin=b"z" * 3_000_000, flags=1)
    vm.give(started[0], b"y" * 400_000, eof=True)
    assert vm.exec_wait(started).out == b"3400000\n"


def test_stdin_is_bounded(vm):
    """The window opens as the program reads, and not before."""
    started = vm.exec_start("import os, sys\nsys.stdout.write('go'); sys.stdout.flush()\n"
                            "import time; time.sleep(2)\n"
                            "n = 0\nwhile n < 500000: n += len(os.read(0, 65536))\nprint(n)", flags=1)
    vm.give(started[0], b"q" * 500000)
    credits, frames = [], []
    while not frames or frames[-1].type != "DONE":
        frame = vm.receive_any(60)
        assert frame is not None
        if frame.type == "CREDIT":
            credits.append(struct.unpack("<Q", frame.payload)[0])
        elif not vm.take_stream(frame):
            frames.append(frame)
            if frame.payload == b"go":
                assert sum(credits) <= 64 << 10  # what the pipe holds
    assert sum(credits) >= g.STREAM_WINDOW // 2


def test_second_cell_is_refused(vm):
    started = vm.exec_start("import time; time.sleep(1)")
    refused(BUSY, lambda: vm.exec("print(1)"))
    assert vm.exec_wait(started).exit_code == 0


def test_timeout_interrupts(vm):
    vm.exec("kept = 1")
    done = vm.exec("import time; print('before', flush=True); time.sleep(60)", timeout_ms=1000)
    assert done.flags == g.TIMED_OUT and done.exit_code == 130 and done.out == b"before\n"
    assert 1.0 <= done.wall_ns / 1e9 < 2
    assert vm.exec("print(kept)").out == b"1\n"


def test_timeout_kills_what_ignores_it(vm):
    done = vm.exec("import signal\nsignal.signal(2, signal.SIG_IGN)\nwhile True: pass", timeout_ms=500)
    assert done.flags == g.TIMED_OUT | g.STATE_LOST and (done.exit_code, done.signal) == (-1, 9)
    assert 2.4 < done.wall_ns / 1e9 < 4


def test_timeout_ends_the_whole_tree(vm):
    code = "( (sleep 4711 & sleep 4711) & setsid sleep 4711 & sleep 4711 )"
    done = vm.exec(code, mode=SHELL, timeout_ms=1500)
    assert done.flags & g.TIMED_OUT
    assert vm.exec("ps ax | grep -c '[s]leep 4711'", mode=SHELL).out == b"0\n"


def test_interrupt(vm):
    vm.exec("kept = 2")
    started = vm.exec_start("import time; print('go', flush=True); time.sleep(60)")
    vm.wait(lambda f: f.type == "OUTPUT")
    for how in (b"\2", b"\xff", b"", b"\0\0"):  # none of these is a way to interrupt
        refused(INTERNAL, lambda how=how: vm.ask("INTERRUPT", how, started[0]))
    assert vm.ask("INTERRUPT", b"\0", started[0]).type == "OK"
    done = vm.exec_wait(started)
    assert done.flags == g.INTERRUPTED and done.exit_code == 130
    assert vm.exec("print(kept)").out == b"2\n"
    refused(NOT_FOUND, lambda: vm.ask("INTERRUPT", b"\0", started[0]))


def test_interrupt_by_kill(vm):
    started = vm.exec_start("import time; print('go', flush=True); time.sleep(60)")
    vm.wait(lambda f: f.type == "OUTPUT")
    vm.ask("INTERRUPT", b"\1", started[0])
    done = vm.exec_wait(started)
    assert done.flags == g.INTERRUPTED | g.STATE_LOST and (done.exit_code, done.signal) == (-1, 9)


# Its child stops it when the cell is over, so that it does not take the next one.
STOPS = """
import os, signal, time
if os.fork() == 0:
    while not os.path.exists('go'): time.sleep(.01)
    os.kill(os.getppid(), signal.SIGSTOP)
    os.unlink('go')
    os.write(1, b'stopped'); os._exit(0)
"""


@pytest.mark.parametrize("timeout_ms, flag", [(60000, g.INTERRUPTED), (200, g.TIMED_OUT)])
def test_a_cell_that_was_ended_does_not_run_after_all(vm, timeout_ms, flag):
    """Its interpreter's socket is full of settings, so that it has not got the code when it is killed for it."""
    assert vm.exec(STOPS).exit_code == 0
    write(vm, "go", b"")
    vm.wait(lambda f: f.type == "OUTPUT" and f.payload == b"stopped")
    configure_start(vm, {f"NAME{i}": "v" * 4096 for i in range(80)})
    started = vm.exec_start("print('ran')", timeout_ms=timeout_ms)
    if flag == g.INTERRUPTED:
        vm.ask("INTERRUPT", b"\1", started[0])
    done = vm.exec_wait(started)
    assert (done.flags, done.out) == (flag | g.STATE_LOST, b"")
    assert (done.exit_code, done.signal) == (-1, 9)


def test_worker_exits_and_crashes(vm):
    done = vm.exec("import os; print('last', flush=True); os._exit(3)")
    assert (done.exit_code, done.signal, done.flags, done.out) == (3, 0, g.STATE_LOST, b"last\n")
    done = vm.exec("import ctypes; ctypes.string_at(0)")
    assert (done.exit_code, done.signal, done.flags) == (-1, 11, g.STATE_LOST)
    assert vm.exec("print('kept' in globals())").out == b"False\n"


def test_the_end_comes_before_the_next_worker(vm):
    """An interpreter is replaced while its last cell's output is still held: DONE is told, then READY."""
    code = "import os\nfor i in range(15): os.write(1, b'y' * 32768)\nos.fork() or os.write(1, b'z' * 65000)\nos._exit(3)"
    started = vm.exec_start(code, max_stdout=64 << 20)
    order = []
    while len(order) < 2:
        frame = vm.receive(30)
        if frame.type == "OUTPUT":
            vm.credit(frame)
        elif frame.type in ("DONE", "READY"):
            order.append(frame.type)
    assert order == ["DONE", "READY"]
    assert started[0] > 0


def test_waiting_is_told_when_it_changes(vm):
    vm.waiting.clear()
    cell = vm.next_cell
    done = vm.exec("import struct\n"
                   f"def tell(on): cell.sendall(struct.pack('<IBBHIB', 5, 7, 0, 0, {cell}, on) * 2000)\n"
                   "for on in (1, 1, 0, 0, 1): tell(on)")
    assert done.exit_code == 0, done.err
    assert [frame.payload for frame in vm.waiting] == [b"\1", b"\0", b"\1"]


def test_process_mode_is_fresh(vm):
    vm.exec("here = 1")
    done = vm.exec("print('here' in globals())", mode=PROCESS)
    assert (done.out, done.exit_code, done.flags) == (b"False\n", 0, 0)
    assert vm.exec("print(here)").out == b"1\n"


def test_exec_in_the_shell(vm):
    done = vm.exec("exec echo gone; exit 1", mode=SHELL)
    assert (done.out, done.exit_code) == (b"gone\n", 0) and done.flags == g.STATE_LOST
    assert vm.exec("echo back", mode=SHELL).out == b"back\n"


def test_background_output_is_the_old_cell_s(vm):
    started = vm.exec_start("import subprocess; p = subprocess.Popen(['sh', '-c', 'sleep 1; echo late'])")
    done = vm.exec_wait(started)
    assert done.out == b""
    assert vm.exec("print('next')").out == b"next\n"
    frame = vm.wait(lambda f: f.type == "OUTPUT", 10)
    assert (frame.cell, frame.payload) == (started[0], b"late\n")


def test_many_lingering_cells(vm):
    for _ in range(40):
        vm.exec("import subprocess; subprocess.Popen(['sleep', '5'])")
    assert vm.exec("print(1)").out == b"1\n"
    vm.exec("pkill -x sleep", mode=SHELL)


def test_double_forks_leave_no_zombies(vm):
    done = vm.exec("import os, time\n"
                   "for i in range(50):\n"
                   "    if os.fork() == 0:\n"
                   "        if os.fork() == 0: os._exit(0)\n"
                   "        os._exit(0)\n"
                   "    os.wait()\n")
    assert done.exit_code == 0
    assert vm.exec("ps axo ppid,stat | grep -c '^ *1 Z'", mode=SHELL).out == b"0\n"


# Hostile code


def resume(vm, entropy=b"", wall_ns=0):
    return vm.ask("RESUME", struct.pack("<Q", wall_ns) + blob(entropy))


PRINTER = "(while :; do echo tick; sleep 0.02; done) & echo $!"


def test_nothing_is_said_between_held_and_resume(vm):
    pid = int(re.search(rb"\d+", vm.exec(PRINTER, mode=SHELL).out)[0])
    vm.wait(lambda f: f.type == "OUTPUT")
    number = vm.send("HOLD")
    vm.wait(lambda f: f.type == "HELD" and f.id == number)
    assert vm.receive(1) is None
    assert resume(vm).type == "OK"
    vm.wait(lambda f: f.type == "OUTPUT")
    assert vm.exec(f"kill {pid}", mode=SHELL).exit_code == 0


def test_what_printed_goes_on_when_all_begins_anew(vm):
    pid = int(re.search(rb"\d+", vm.exec(PRINTER, mode=SHELL).out)[0])
    vm.wait(lambda f: f.type == "OUTPUT")
    vm.ask("HOLD")
    vm.send("RESET", struct.pack("<I", 0) + blob(""), 0, 0)
    number = vm.send("RESUME", struct.pack("<Q", 0) + blob(b"\x09" * 32))
    frames = [vm.receive_any(), vm.receive_any()]
    assert [(f.type, f.id) for f in frames] == [("RESET", 0), ("OK", number)]
    vm.outputs.clear()
    vm.next_stream = 1
    frame = vm.wait(lambda f: f.type == "OUTPUT")
    assert frame.stream == 2 and b"tick" in frame.payload
    assert vm.exec(f"kill {pid}", mode=SHELL).exit_code == 0


def test_a_guest_at_work_is_not_held(vm):
    started = vm.exec_start("sleep 0.5", mode=SHELL)
    with pytest.raises(Refused) as refused:
        vm.ask("HOLD")
    assert refused.value.code == BUSY
    vm.exec_wait(started)
    upload = vm.upload("half")
    assert upload.give(vm, b"x")
    with pytest.raises(Refused) as refused:
        vm.ask("HOLD")
    assert refused.value.code == BUSY
    upload.give_up(vm)
    assert vm.ask("HOLD").type == "HELD"  # it was given up in front of that
    assert resume(vm).type == "OK"


def test_resume_sets_a_clock_that_is_late_and_no_other(vm):
    vm.ask("HOLD")
    resume(vm, wall_ns=time.time_ns() + 3600 * 10**9)
    late = int(vm.exec("date +%s", mode=SHELL).out)
    assert 3590 < late - time.time() < 3660
    vm.ask("HOLD")
    resume(vm, wall_ns=time.time_ns())
    assert int(vm.exec("date +%s", mode=SHELL).out) >= late
    configure(vm)


@pytest.mark.parametrize("code", [
    "cell.send(b'\\xff' * 64)",
    "cell.send(b'\\0\\0\\0\\0\\x63\\0\\0\\0')",
    "query.send(b'\\xff' * 64)",
    "cell.send(b'\\x0c\\0\\0\\0\\x04\\0\\0\\0' + b'\\x99' * 12)",
    "cell.send(b'\\0\\0\\0\\0\\x03\\0\\0\\0')",
    "query.send(b'\\x10\\0\\0\\0\\x11\\0\\0\\0' + b'\\x01' + b'\\0' * 15)",
])
def test_garbage_on_the_channels(vm, code):
    done = vm.exec(code + "\nimport time; time.sleep(30)")
    assert done.flags == g.STATE_LOST and done.signal == 9 and "worker" in done.note


def test_channel_closed(vm):
    done = vm.exec("import os; print(1, flush=True); cell.close(); os._exit(9)")
    assert (done.exit_code, done.flags, done.out) == (9, g.STATE_LOST, b"1\n")


def test_kill_everything(vm):
    done = vm.exec("import os\n"
                   "for s in range(1, 32):\n"
                   "    try: os.kill(1, s)\n"
                   "    except PermissionError: pass\n"
                   "    else: print('signalled', s)\n"
                   "os.kill(-1, 9)\nprint('still')")
    assert done.out == b"still\n" and done.exit_code == 0


def test_memory_is_limited(vm):
    begin = time.monotonic()
    done = vm.exec("import os\nb = []\nwhile True: b.append(os.urandom(1 << 20))", timeout=60)
    assert done.flags & g.OOM and done.flags & g.STATE_LOST and done.signal == 9
    print(f"dead after {time.monotonic() - begin:.1f} s")


def test_fork_bomb(vm):
    started = vm.exec_start("import os, time\nwhile True:\n    try: os.fork()\n    except OSError: pass",
                            timeout_ms=4000)
    worst = 0
    for _ in range(20):
        begin = time.monotonic()
        assert vm.ask("PING", timeout=20).type == "PONG"
        worst = max(worst, time.monotonic() - begin)
        time.sleep(0.1)
    print(f"slowest ping {worst * 1e3:.0f} ms")
    assert worst < 2
    done = vm.exec_wait(started)
    assert done.flags & (g.TIMED_OUT | g.OOM)


def test_disk_is_limited(vm):
    done = vm.exec("import os\n"
                   "for place in ('/home/user/a', '/tmp/a', '/dev/shm/a'):\n"
                   "    try:\n"
                   "        with open(place, 'wb', 0) as f:\n"
                   "            while True: f.write(b'x' * 65536)\n"
                   "    except OSError as e: print(e.errno)\n"
                   "for place in ('/home/user/a', '/tmp/a', '/dev/shm/a'): os.unlink(place)", timeout=60)
    assert done.out == b"28\n28\n28\n" and done.exit_code == 0


def test_sandbox(vm):
    code = """
import ctypes, os, socket
libc = ctypes.CDLL(None, use_errno=True)
status = dict(l.split(':', 1) for l in open('/proc/self/status').read().splitlines())
for name in ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'): assert int(status[name], 16) == 0, name
assert status['NoNewPrivs'].strip() == '1' and status['Seccomp'].strip() == '2'
assert os.getresuid() == (1000,) * 3 and os.getresgid() == (1000,) * 3
assert os.getgroups() in ([], [1000])
def fails(call, *args):
    ctypes.set_errno(0)
    assert libc.syscall(call, *args) == -1, call
    return ctypes.get_errno()
assert fails(165, 0, 0, 0, 0, 0) == 1          # mount
assert fails(272, 0x10000000) == 1             # unshare
assert fails(425, 1, 0) == 38                  # io_uring_setup
assert fails(321, 0, 0, 0) == 1                # bpf
assert fails(169, 0, 0, 0, 0) == 1             # reboot
assert fails(323, 0) == 1                      # userfaultfd
for family in (socket.AF_PACKET, 40, 16):
    try: socket.socket(family, socket.SOCK_RAW, 15 if family == 16 else 0)
    except OSError: pass
    else: raise AssertionError(family)
socket.socket(16, socket.SOCK_RAW, 0).close()
def denied(path, flags=os.O_WRONLY):
    try: os.close(os.open(path, flags))
    except OSError: return
    raise AssertionError(path)
for path in ('/etc/passwd', '/etc/hostname', '/proc/sys/kernel/hostname', '/proc/sysrq-trigger',
             '/run/glassbell/python/worker.py'): denied(path)
for path in ('/usr/x', '/x', '/dev/x', '/home/x', '/run/x', '/sys/x'): denied(path, os.O_CREAT | os.O_WRONLY)
assert '1' not in os.listdir('/proc')
assert sorted(os.listdir('/dev')) == sorted('null zero full random urandom tty ptmx pts shm fd stdin stdout stderr'.split())
try: os.setuid(0)
except PermissionError: pass
else: raise AssertionError
server = socket.create_server(('127.0.0.1', 0))
socket.create_connection(server.getsockname()).close()
assert open('/proc/self/oom_score_adj').read().strip() == '500'
assert os.listdir('/proc/self/fd')
import pty; pty.openpty()
print('sealed')
"""
    done = vm.exec(code)
    assert done.out == b"sealed\n", done.err.decode()


# The rest of the service


def test_queries_while_a_cell_runs(vm):
    started = vm.exec_start("import time; time.sleep(1)")
    fields = Fields(vm.ask("COMPLETE", blob("pr") + struct.pack("<I", 2)).payload)
    assert [fields.number("I") for _ in range(3)] == [0, 2, 1] and fields.bytes() == b"print"
    fields = Fields(vm.ask("IS_COMPLETE", blob("if x:")).payload)
    assert (fields.number("B"), fields.bytes()) == (1, b"    ")
    fields = Fields(vm.ask("DESCRIBE", blob("x = len")).payload)
    assert [fields.bytes() for _ in range(3)] == [
        b"function", b"(obj, /)", b"Return the number of items in a container."]
    assert vm.exec_wait(started).exit_code == 0


def test_configure(vm):
    configure(vm, {"SESSION": "yes"}, hostname="sealed-7")
    assert vm.exec("cat /etc/hostname /proc/sys/kernel/hostname /etc/machine-id; echo $SESSION",
                   mode=SHELL).out.split() in (
        [b"sealed-7", b"sealed-7", b"0123456789abcdef" * 2, b"yes"],
        [b"sealed-7", b"sealed-7", b"0123456789abcdef" * 2])
    assert abs(float(vm.exec("import time; print(time.time())").out) - time.time()) < 2
    refused(INVALID, lambda: configure(vm, hostname="no spaces"))
    refused(INVALID, lambda: configure(vm, {"1": "x"}))
    configure(vm, nproc=1024)


def test_status(vm):
    fields = Fields(vm.ask("STAT").payload)
    total, available, used, cpu = [fields.number("Q") for _ in range(4)]
    assert 100 << 20 < total < 224 << 20 and 0 < available < total and 0 < used < total and cpu > 0
    assert fields.number("I") >= 1


def test_bad_frames_are_refused(vm):
    vm.port.sendall(struct.pack("<IHHII", 3, 16, 0, 77, 1) + b"abc")
    assert vm.wait(lambda f: f.id == 77).type == "ERROR"
    vm.port.sendall(struct.pack("<IHHII", 0, 999, 0, 78, 1))
    assert vm.wait(lambda f: f.id == 78).type == "ERROR"


def test_shutdown(tmp_path):
    guest = boot(str(tmp_path))
    guest.ready()
    guest.send("SHUTDOWN")
    assert guest.qemu.wait(20) == 0
    guest.close()
