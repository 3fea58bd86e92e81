# SPDX-License-Identifier: Apache-2.0
"""The end of a cell whose pipes a process in the background still holds: it is told although no event
comes for an empty pipe, whatever there was no room for at that moment."""

import box
from guest import COST, STREAM_WINDOW

pytestmark = box.needs_guest

UNREAD = """
import fcntl, os, struct, subprocess, termios
def unread(fd):
    return struct.unpack('i', fcntl.ioctl(fd, termios.FIONREAD, bytes(4)))[0]
def hold():
    return subprocess.Popen(['sleep', '100000'], stdin=subprocess.DEVNULL)
"""


def test_a_cell_that_used_up_its_window_ends(vm):
    """Its last byte is the last one that there is credit for; the pipe is empty."""
    frames = STREAM_WINDOW // (COST + 1)
    assert STREAM_WINDOW - frames * (COST + 1) <= COST  # no room for another one
    vm.exec(UNREAD)
    started = vm.exec_start(f"""
holder = hold()
for _ in range({frames}):
    os.write(1, b'.')
    while unread(1): os.sched_yield()
""")
    done = vm.exec_wait(started, credit=False)
    assert (done.out, done.flags) == (b"." * frames, 0)
    vm.exec("holder.kill(); holder.wait()")
