# SPDX-License-Identifier: Apache-2.0
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


# localhost: what a program reaches that serves itself

@pytest.mark.parametrize("flags", ["0", "socket.AI_ADDRCONFIG", "socket.AI_ADDRCONFIG | socket.AI_V4MAPPED"])
@pytest.mark.parametrize("name", ["localhost", "socket.gethostname()"])
def test_names_of_the_guest_have_an_address(shared, name, flags):
    """Also for a resolver that is to leave out what no interface has: there is IPv4."""
    s = shared.get("python")
    name = f"'{name}'" if name == "localhost" else name
    code = (f"import socket\n"
            f"sorted({{info[4][0] for info in socket.getaddrinfo({name}, 80, socket.AF_INET, 0, 0, {flags})}})")
    assert s.exec(code)["value"] == ("['127.0.0.1']" if "localhost" in name else "['127.0.1.1']")


@pytest.mark.parametrize("listen", ["127.0.0.1", "::1", "0.0.0.0", "::", "localhost"])
@pytest.mark.parametrize("image", ["python", "javascript"])
def test_a_server_of_ones_own_answers_at_localhost(shared, image, listen):
    """Whichever of the two addresses it listens at."""
    s = shared.get(image)
    if image == "javascript":
        code = ("const http = require('http');\n"
                f"const server = http.createServer((q, a) => a.end('hello')).listen(0, '{listen}');\n"
                "await new Promise(f => server.on('listening', f));\n"
                "const url = `http://localhost:${server.address().port}/`;\n"
                "const got = await (await fetch(url)).text();\n"
                "const plain = await new Promise((f, r) => http.get(url, a => a.on('data', d => f(`${d}`))).on('error', r));\n"
                "server.close(); server.closeAllConnections(); console.log(got, plain)")
        assert out(s.exec(code)) == "hello hello\n"
    else:
        code = ("import http.server, socket, threading, urllib.request\n"
                "class Hello(http.server.BaseHTTPRequestHandler):\n"
                "  def do_GET(self): self.send_response(200); self.end_headers(); self.wfile.write(b'hello')\n"
                "  def log_message(self, *_): pass\n"
                "class Server(http.server.HTTPServer):\n"
                f"  address_family = socket.AF_INET6 if ':' in '{listen}' else socket.AF_INET\n"
                f"with Server(('{listen}', 0), Hello) as server:\n"
                "  threading.Thread(target=server.serve_forever).start()\n"
                "  print(urllib.request.urlopen(f'http://localhost:{server.server_port}/').read().decode())\n"
                "  server.shutdown()")
        assert out(s.exec(code)) == "hello\n"
