"""What code in a guest sees of the kernel, the machine and the host's set-up: what programs need, no more."""

import pytest

from support import out

IMAGES = ["python", "javascript", "shell"]


def shell(session, code):
    return out(session.exec(code, mode="shell"))


@pytest.mark.parametrize("image", IMAGES)
def test_groups_are_not_seen(shared, image):
    s = shared.get(image)
    assert shell(s, "grep -c cgroup /proc/self/mounts; ls /sys/fs 2>/dev/null; ls -d /cgroup 2>/dev/null") == "0\n"


@pytest.mark.parametrize("image", IMAGES)
def test_the_command_line_says_nothing(shared, image):
    assert shell(shared.get(image), "cat /proc/cmdline") == ""


@pytest.mark.parametrize("image", IMAGES)
def test_version_is_what_uname_says(shared, image):
    s = shared.get(image)
    assert shell(s, "cat /proc/version") == shell(s, 'echo "$(uname -s) version $(uname -r) $(uname -v)"')


def test_sysctls_are_mounted_read_only(shared):
    """So that a right that a process might gain does not help: the mount refuses before the right is asked."""
    s = shared.get("python")
    code = ("import errno, os\n"
            "def refused(path, flags=os.O_WRONLY):\n"
            " try: os.close(os.open(path, flags)); return 'open'\n"
            " except OSError as e: return errno.errorcode[e.errno]\n"
            "print({refused(os.path.join(d, f)) for d, _, fs in os.walk('/proc/sys/kernel') for f in fs"
            " if os.access(os.path.join(d, f), os.R_OK)})\n"
            "print(os.statvfs('/proc/sys').f_flag & os.ST_RDONLY, os.statvfs('/proc/sysrq-trigger').f_flag & os.ST_RDONLY,"
            " os.statvfs('/proc/fs').f_flag & os.ST_RDONLY, os.statvfs('/proc').f_flag & os.ST_RDONLY)")
    refusals, flags = out(s.exec(code)).splitlines()
    assert eval(refusals) <= {"EROFS", "EACCES"} and flags == "1 1 1 0"


@pytest.mark.parametrize("path", ["kcore", "kallsyms", "iomem", "ioports", "modules", "interrupts", "keys", "timer_list",
                                  "slabinfo", "config.gz", "devices", "misc"])
def test_what_is_masked_is_empty(shared, path):
    s = shared.get("shell")
    assert shell(s, f"cat /proc/{path} 2>/dev/null | wc -c; ls /proc/{path} 2>/dev/null | grep -vc {path} || true") == "0\n0\n"


def test_devices_are_not_listed(shared):
    """No graphics, no ports with our names, no firmware, no block devices: nothing but processors and memory."""
    s = shared.get("shell")
    assert shell(s, "cd /sys; find . -maxdepth 3 -type d -not -path './kernel/mm/*' | sort").split() == [
        ".", "./devices", "./devices/system", "./devices/system/cpu", "./devices/system/node", "./kernel", "./kernel/mm"]
    assert shell(s, "touch /sys/x 2>&1 | grep -c Read-only") == "1\n"


def test_what_programs_ask_is_there(shared):
    s = shared.get("python")
    assert out(s.exec("import os\nprint(os.cpu_count(), os.sysconf('SC_NPROCESSORS_CONF'), os.path.exists('/proc/meminfo'),"
                      " open('/proc/sys/kernel/hostname').read() == os.uname().nodename + '\\n',"
                      " open('/sys/devices/system/cpu/online').read())")) == "1 1 True True 0\n\n"
    assert shell(s, "nproc; free -b | awk 'NR==2 {print ($2 > 1e8)}'; ps -p $$ -o comm=") == "1\n1\nbash\n"
