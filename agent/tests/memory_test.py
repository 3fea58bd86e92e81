# SPDX-License-Identifier: Apache-2.0
"""What the host, or a worker, may have the agent take of a small guest's memory: whatever the size of a frame,
of an answer, or of all that waits, there is either room for it or it is refused, and the kernel, which ends the
machine when it finds no process to kill, goes on."""

import struct

import pytest

import box
import guest as g
from box import TOO_LARGE, configure, write
from guest import Refused, blob

pytestmark = box.needs_guest

MEMORY = 112  # MiB
CODE_MAX, STDIN_MAX = 4 << 20, 8 << 20

FILL = """
for folder in ('/tmp', '/dev/shm', '/home/user'):
    try:
        with open(folder + '/fill', 'wb', 0) as file:
            while file.write(bytes(1 << 16)): pass
    except OSError as error:
        assert error.errno == 28
"""

# A process that keeps all but a few pages, and is the first that the kernel takes when these are needed.
HOG = """
import os, signal
def available():
    with open('/proc/meminfo') as file:
        return int(dict(line.split(':') for line in file)['MemAvailable'].split()[0]) << 10
there, ours = os.pipe()
if os.fork() == 0:
    os.setsid()
    with open('/proc/self/oom_score_adj', 'w') as file: file.write('1000')
    keep = []
    while available() > 4 << 20: keep.append(os.urandom(1 << 16))
    os.write(ours, b'x')
    signal.pause()
os.close(ours)
os.read(there, 1)
os.close(there)
"""


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """A small guest whose files take all that they may: the host's what it is given, the user's the rest."""
    guest = box.boot(str(tmp_path_factory.mktemp("boot")), memory=MEMORY)
    try:
        guest.ready()
        done = guest.exec("import os\nos.mkdir('many')\nfor i in range(1000): open(f'many/{i:0250}', 'w').close()")
        assert done.exit_code == 0, done
        with pytest.raises(Refused) as caught:
            for i in range(MEMORY):
                write(guest, f"up/{i}", bytes(1 << 20))
        assert caught.value.code == TOO_LARGE
        done = guest.exec(FILL, timeout_ms=120_000, timeout=150)
        assert done.exit_code == 0, done
        yield guest
    finally:
        guest.close()


def alive(guest):
    assert guest.ask("PING", timeout=120).type == "PONG"
    done = guest.exec("print('alive')", timeout_ms=120_000, timeout=150)
    assert (done.exit_code, done.flags, done.out) == (0, 0, b"alive\n"), (done, guest.console())
    assert "anic" not in guest.console(), guest.console()


def comment(size):
    return b"print(6*7)\n#" + b"x" * (size - 12)


@pytest.mark.parametrize("code, stdin, flags", [(CODE_MAX, 0, 0), (12, STDIN_MAX, 0), (CODE_MAX, STDIN_MAX, 0),
                                                (CODE_MAX, 0, 4), (2 << 20, 1 << 20, 1)])
def test_a_cell_for_which_there_is_no_room(full, code, stdin, flags):
    """It ends with a note, or has run: nothing else."""
    assert full.exec(HOG, timeout_ms=120_000, timeout=150).exit_code == 0
    for mode in (g.KERNEL, g.PROCESS, g.SHELL):
        done = full.exec(comment(code) if mode != g.SHELL else b"echo 42\n#" + b"x" * (code - 12),
                         stdin=b"y" * stdin, flags=flags, file="prog.py" if flags & 4 else b"",
                         mode=mode, timeout_ms=120_000, timeout=150)
        if done.exit_code == -1:
            assert done.note and done.out == b"", done
        else:
            assert (done.exit_code, done.out) == (0, b"42\n"), done
    alive(full)


def test_frames_that_are_as_large_as_any(full):
    for kind in ("EXEC", "CONFIGURE", "COMPLETE", "FILE_LIST", "PING"):
        number = full.send(kind, b"\xff" * (16 << 20), 5 if kind == "EXEC" else 0)
        frame = full.wait(lambda f: f.id == number, 120)
        assert frame.type in ("ERROR", "DONE", "PONG"), frame
    configure(full, {f"NAME{i}": "v" * 4096 for i in range(100)})
    alive(full)


def test_questions_that_nobody_reads(full):
    """The worker is stopped: what is asked of it waits in the agent."""
    started = full.exec_start("import os, signal, time\nif os.fork() == 0:\n"
                              "  while os.path.exists('/home/user/up/0'): time.sleep(.05)\n"
                              "  os.kill(os.getppid(), signal.SIGCONT); os._exit(0)\n"
                              "print('stopped', flush=True)\nos.kill(os.getpid(), signal.SIGSTOP)",
                              timeout_ms=120_000)
    full.wait(lambda f: f.type == "OUTPUT")
    for i in range(16):
        if i % 2:
            full.send("COMPLETE", blob(b"p" * CODE_MAX) + struct.pack("<I", 1))
        else:
            full.send("IS_COMPLETE", blob(b"p" * CODE_MAX))
    assert full.ask("PING", timeout=120).type == "PONG"
    full.ask("FILE_REMOVE", blob("up/0") + b"\0")
    done = full.exec_wait(started, timeout=150)
    assert (done.exit_code, done.flags) == (0, 0), done
    alive(full)


def test_answers_that_wait(full):
    """Many listings are asked for before one is read."""
    ask = blob("many") + blob("") + struct.pack("<I", 1000)
    numbers = [full.send("FILE_LIST", ask) for _ in range(100)]
    for number in numbers:
        frame = full.wait(lambda f, n=number: f.id == n, 120)
        assert frame.type == "FILE_ENTRIES" and len(frame.payload) > 250_000
    alive(full)


SHOW = """
import struct
def show(size):
    cell.sendall(struct.pack('<IBBH', 13 + size, 6, 0, 0) + struct.pack('<II', number, 1) + b't' +
                 struct.pack('<I', size))
    for at in range(0, size, 65536): cell.sendall(bytes(min(65536, size - at)))
"""


def test_displays(full):
    """What a program shows is the agent's until it has left: it does not read more meanwhile."""
    full.displays.clear()
    done = full.exec(SHOW + "for _ in range(8): show(8 << 20)\nprint('shown')", timeout_ms=200_000, timeout=250)
    assert done.exit_code == 0 and done.out == b"shown\n", done
    assert ("no memory" in done.note) == (len(full.displays) < 8), (done, len(full.displays))
    assert all(len(frame.payload) == 9 + (8 << 20) for frame in full.displays)
    alive(full)


def test_where_there_is_room_nothing_is_refused(vm):
    count = "import sys\nprint(len(sys.stdin.buffer.read()))\n"
    done = vm.exec(count.encode() + b"#" * (CODE_MAX - len(count)), stdin=b"y" * STDIN_MAX, timeout_ms=120_000, timeout=150)
    assert (done.exit_code, done.out, done.note) == (0, b"%d\n" % STDIN_MAX, ""), done
    vm.displays.clear()
    done = vm.exec(SHOW + "for size in (1, 1 << 20, 8 << 20, 5, 8 << 20): show(size)", timeout_ms=120_000, timeout=150)
    assert (done.exit_code, done.note) == (0, ""), done
    assert [len(frame.payload) - 9 for frame in vm.displays] == [1, 1 << 20, 8 << 20, 5, 8 << 20]
    vm.displays.clear()
    for _ in range(4):
        assert vm.ask("COMPLETE", blob(b"p" * CODE_MAX) + struct.pack("<I", 1), timeout=120).type == "COMPLETIONS"
