# SPDX-License-Identifier: Apache-2.0
"""A guest that does its worst: the cell ends with a clear result, others notice nothing."""

import contextlib

import pytest

from support import Failure, Session, err, out


@pytest.fixture
def bystander(client):
    """A session beside the hostile one: it must answer before, during and after."""
    s = Session(client, "shell")
    s.exec("kept=yes")
    yield s
    assert out(s.exec("echo $kept")) == "yes\n"
    s.close()


def ends_well(session, code, **options):
    """The cell ends; then the next one works, or the session is closed with a reason."""
    try:
        cell = session.exec(code, **options)
    except Failure as failure:
        assert failure.kind == "outcome_unknown" and failure.dispatched is True
        cell = None
    try:
        assert out(session.exec("print('next')", timeout_ms=60000)) == "next\n"
    except Failure as failure:
        assert failure.kind == "session_closed" and len(str(failure)) > 10
    return cell


GARBAGE = """
import os, socket
n = 0
for fd in range(3, 1024):
    for junk in (b'\\xff' * 4096, b'\\x00' * 4096, os.urandom(4096)):
        try:
            os.set_blocking(fd, False)
            os.write(fd, junk); n += 1
        except OSError:
            pass
print(n > 0)
"""


def test_garbage_on_every_descriptor(fresh, bystander):
    cell = ends_well(fresh(), GARBAGE, timeout_ms=10000, rollback=False)
    assert cell is None or cell["state_lost"] or cell["exit_code"] is not None


def test_every_descriptor_closed(fresh, bystander):
    cell = ends_well(fresh(), "import os; os.closerange(0, 65536)\nimport time; time.sleep(1)", timeout_ms=10000,
                     rollback=False)
    assert cell is None or cell["state_lost"]


def test_forged_answers(fresh, bystander):
    """Well-formed messages of the control channel, sent by user code: only its own cell can suffer."""
    code = ("import os,struct\n"
            "done=struct.pack('<IIBI',1,0,0,0)\n"
            "for t in range(0,32):\n"
            " for fd in range(3,1024):\n"
            "  try: os.write(fd, struct.pack('<IBBH',len(done),t,0,0)+done)\n"
            "  except OSError: pass\n"
            "import time; time.sleep(0.5)\n")
    ends_well(fresh(), code, timeout_ms=10000)


def test_flood_of_output(fresh, bystander):
    s = fresh("shell")
    cell = s.exec("head -c 1000000000 /dev/zero; echo end >&2", timeout_ms=180000)
    assert cell["exit_code"] == 0 and err(cell) == "end\n"
    assert cell["truncated"]["stdout"] == 1000000000 - (1 << 20)
    assert out(s.exec("echo next")) == "next\n"


def test_disk_filled(fresh, bystander):
    s = fresh("shell")
    cell = s.exec("head -c 2000000000 /dev/zero > fill; echo $?; head -c 2000000000 /dev/zero > /tmp/fill; echo $?",
                  timeout_ms=120000, rollback=False)
    assert cell["exit_code"] is not None or cell["oom"] or cell["timed_out"]
    assert out(s.exec("rm -f fill /tmp/fill; echo freed", timeout_ms=60000)) == "freed\n"
    s.write("after", b"works")
    assert s.read("after") == b"works"


def test_many_small_files(fresh, bystander):
    s = fresh()
    cell = s.exec("import os\nn=0\ntry:\n while n<10**6:\n  open(f'/tmp/f{n}','w').close(); n+=1\n"
                  "except OSError as e: print('stopped', e.errno)", timeout_ms=120000)
    assert "stopped" in out(cell)
    assert out(s.exec("print('next')", timeout_ms=60000)) == "next\n"


def test_everything_killed_that_can_be(fresh, bystander):
    ends_well(fresh(), "import os,signal\nfor p in range(2,4000):\n try: os.kill(p,9)\n except OSError: pass\n"
                       "os.kill(-1,9)", timeout_ms=30000)


def test_shared_memory_and_pipes_hoarded(fresh, bystander):
    ends_well(fresh(), "import os\nfds=[]\ntry:\n while True: fds.append(os.pipe())\nexcept OSError as e: print(e)",
              timeout_ms=60000)


def test_forbidden_system_calls(fresh):
    code = ("import ctypes,os\nlibc=ctypes.CDLL(None,use_errno=True)\n"
            "calls={'mount':165,'reboot':169,'swapon':167,'init_module':175,'bpf':321,'kexec':246,\n"
            " 'keyctl':250,'userfaultfd':323,'io_uring_setup':425,'unshare':272,'setns':308,'perf_event_open':298,\n"
            " 'pivot_root':155,'open_by_handle_at':304}\n"
            "for name,nr in calls.items():\n"
            " r=libc.syscall(nr,0x10000000,0,0,0,0); e=ctypes.get_errno()\n"
            " print(name, r, e in (1,38,13))\n")
    for line in out(fresh().exec(code)).splitlines():
        name, result, refused = line.split()
        assert result == "-1" and refused == "True", line


def test_stdin_flood_is_bounded(fresh):
    s = fresh()
    pending = s.send("import time; print('go'); time.sleep(600)", interactive=True, stream=True, timeout_ms=700000)
    assert s.note()
    # While much is unread the answer waits, so that who waits for it never sends too much; who does not wait is told.
    answers = [s.client.send("session.stdin", session=s.id, text="x" * 100000) for _ in range(20)]
    with pytest.raises(Failure) as failure:
        answers[-1].wait()
    assert failure.value.kind == "too_large"
    s.call("session.interrupt")
    assert pending.wait()["interrupted"]
    for answer in answers[:-1]:  # also the one that waited
        with contextlib.suppress(Failure):
            answer.wait()


def test_display_and_value_giants(fresh, bystander):
    s = fresh()
    cell = s.exec("'v'*5_000_000", timeout_ms=60000)
    assert len(cell["value"]) <= 1 << 20
    cell = s.exec("class P:\n def _repr_png_(self): return b'x'*20_000_000\nP()", timeout_ms=60000)
    assert cell["exit_code"] == 0
    assert out(s.exec("print('next')")) == "next\n"
