# SPDX-License-Identifier: Apache-2.0
"""A real guest for the agent's tests: QEMU under TCG, the port on a socket, frames by hand."""

import os
import pathlib
import select
import socket
import struct
import subprocess
import tempfile
import time

TYPES = {"HELLO": 1, "READY": 2, "PING": 3, "PONG": 4, "CONFIGURE": 5, "STAT": 6, "STATUS": 7,
         "SHUTDOWN": 8, "LOG": 9, "PREPARE": 10, "HOLD": 11, "HELD": 12, "RESUME": 13,
         "EXEC": 16, "DISPLAY": 19,
         "WAITING": 20, "DONE": 21, "INTERRUPT": 23,
         "OPEN": 24, "DATA": 25, "SHUT": 26, "CREDIT": 27, "RESET": 28, "COMPLETE": 32,
         "COMPLETIONS": 33, "IS_COMPLETE": 34, "COMPLETENESS": 35, "DESCRIBE": 36,
         "DESCRIPTION": 37, "FILE_LIST": 53, "FILE_ENTRIES": 54, "FILE_STAT": 55, "FILE_REMOVE": 56, "FILE_MKDIR": 57, "OK": 64,
         "ERROR": 65, "LISTENING": 63}
NAMES = {number: name for name, number in TYPES.items()}

TIMED_OUT, INTERRUPTED, OOM, STATE_LOST, HAS_VALUE = 1, 2, 4, 8, 16
KERNEL, PROCESS, SHELL = 0, 1, 2
STDOUT, STDERR, STDIN, UPLOAD, DOWNLOAD = 1, 2, 3, 4, 5  # kinds of streams
STREAM_WINDOW, PIECE = 512 << 10, (32 << 10) - 16


def version():
    """Of the protocol, as the engine and the agent were built with it."""
    header = pathlib.Path(__file__).resolve().parents[2] / "engine/wire/guest.h"
    for line in header.read_text(encoding="utf-8").splitlines():
        if line.startswith("#define GB_GUEST_VERSION"):
            return int(line.split()[2].rstrip("u"))
    raise AssertionError("guest.h names no version")


COST = 256  # of a frame, beside its bytes


def cost(frame):
    """What a DATA frame takes of the window."""
    return len(frame.payload) + COST


WANTED = os.environ.get("GLASSBELL_GUEST_ARCH", "")  # the architecture of the guest


def tsc_khz():
    """What TCG's guests see as the speed of their clock. Told, because on a busy host a guest that
    measures it itself can lose the measurement, and with it the boot."""
    with open("/proc/cpuinfo", encoding="ascii") as file:
        for line in file:
            if line.startswith("cpu MHz"):
                return int(float(line.split(":")[1]) * 1000)
    raise AssertionError("the processor does not tell its speed")


def packed(kind, payload, cell, number):
    return struct.pack("<IHHII", len(payload), TYPES[kind], 0, number, cell) + payload


def blob(data):
    data = data.encode() if isinstance(data, str) else data
    return struct.pack("<I", len(data)) + data


def pairs(mapping):
    return struct.pack("<I", len(mapping)) + b"".join(blob(k) + blob(v) for k, v in mapping.items())


class Fields:
    """Reads the fields of a payload one after the other."""

    def __init__(self, payload):
        self.payload, self.at = payload, 0

    def number(self, form):
        value = struct.unpack_from("<" + form, self.payload, self.at)[0]
        self.at += struct.calcsize("<" + form)
        return value

    def bytes(self):
        size = self.number("I")
        self.at += size
        return self.payload[self.at - size:self.at]


class Frame:
    def __init__(self, kind, flags, number, cell, payload):
        self.type, self.flags, self.id, self.cell = NAMES[kind], flags, number, cell
        self.payload = payload

    def __repr__(self):
        return f"{self.type} id={self.id} cell={self.cell} {self.payload[:200]!r}"


class Done:
    """A cell's end and what it wrote."""

    def __init__(self, frame, out, err):
        fields = Fields(frame.payload)
        self.exit_code, self.signal = fields.number("q"), fields.number("I")
        self.flags = fields.number("I")
        self.dropped = fields.number("Q"), fields.number("Q")
        self.wall_ns, self.cpu_ns = fields.number("Q"), fields.number("Q")
        self.peak_memory = fields.number("Q")
        self.value, self.note = fields.bytes(), fields.bytes().decode()
        self.changed = [(fields.bytes(), *struct.unpack("<BQ", fields.bytes()))
                        for _ in range(fields.number("I"))]
        self.out, self.err = out, err

    def __repr__(self):
        return str(self.__dict__)


class File:
    """An upload or a download: a stream of ours."""

    def __init__(self, number, kind):
        self.id, self.kind = number, kind
        self.window = STREAM_WINDOW  # of what we send
        self.data = bytearray()      # that came
        self.word = None             # the guest's last one
        self.refused = None

    def take(self, vm, frame):
        if frame.type == "CREDIT":
            self.window += struct.unpack("<Q", frame.payload)[0]
            assert self.window <= STREAM_WINDOW
        elif frame.type == "DATA":
            assert self.kind == DOWNLOAD and len(frame.payload) <= PIECE
            self.data += frame.payload
            vm.send("CREDIT", struct.pack("<Q", cost(frame)), 0, self.id)
        elif frame.type == "SHUT":
            self.word = frame.payload
            del vm.files[self.id]
        elif frame.type == "RESET":
            self.refused = Refused(frame)
            if self.kind == UPLOAD:
                vm.send("RESET", struct.pack("<I", 1) + blob(""), 0, self.id)
            del vm.files[self.id]

    def give(self, vm, data):
        """As much as there is a window for; waits for room. False: it was refused meanwhile."""
        for at in range(0, len(data), PIECE):
            piece = data[at:at + PIECE]
            vm.until(lambda: self.refused or self.window >= len(piece) + COST)
            if self.refused:
                return False
            vm.send("DATA", piece, 0, self.id)
            self.window -= len(piece) + COST
        return True

    def end(self, vm):
        """Of an upload: the file is to be there. Its size."""
        vm.send("SHUT", b"", 0, self.id)
        self.wait(vm)
        return Fields(self.word).number("Q")

    def wait(self, vm):
        vm.until(lambda: self.refused or self.word is not None)
        if self.refused:
            raise self.refused

    def give_up(self, vm):
        vm.send("RESET", struct.pack("<I", 1) + blob(""), 0, self.id)
        del vm.files[self.id]


def x86_64():
    """QEMU's command for guests of this architecture, and what their kernel is told."""
    return (["qemu-system-x86_64", "-M", "microvm,x-option-roms=off,isa-serial=on,rtc=on,acpi=on,pit=on,pic=on",
             "-cpu", "max", "-bios", "/usr/share/qemu/qboot.rom"],
            f"console=ttyS0 no_timer_check tsc=reliable tsc_early_khz={tsc_khz()}")


def arm64():
    return (["qemu-system-aarch64", "-M", "virt,acpi=off,gic-version=3", "-cpu", "max,pauth-impdef=on"],
            "console=ttyAMA0")


class Refused(Exception):
    def __init__(self, frame):
        fields = Fields(frame.payload)
        self.code, self.message = fields.number("I"), fields.bytes().decode()
        super().__init__(f"{self.code}: {self.message}")


class Guest:
    def __init__(self, vmlinux, initramfs, root, memory=224, language="python", append=""):
        self.folder = tempfile.TemporaryDirectory(prefix="guest-")
        path = os.path.join(self.folder.name, "port")
        self.console_path = os.path.join(self.folder.name, "console")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen(1)
        self.started = time.monotonic()
        machine, kernel_options = arm64() if WANTED in ("arm64", "aarch64") else x86_64()
        self.qemu = subprocess.Popen([
            *machine, "-accel", "tcg,tb-size=128", "-m", str(memory), "-smp", "1",
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-kernel", vmlinux, "-initrd", initramfs,
            "-append", f"{kernel_options} quiet loglevel=3 mitigations=off "
            f"glassbell.language={language} {append}",
            "-serial", "file:" + self.console_path,
            "-drive", f"if=none,id=root,format=raw,readonly=on,file.locking=off,file={root}",
            "-device", "virtio-blk-device,drive=root,serial=root",
            "-chardev", f"socket,id=port,path={path}",
            "-device", "virtio-serial-device",
            "-device", "virtserialport,chardev=port,name=glassbell.0"], stdin=subprocess.DEVNULL)
        listener.settimeout(60)
        self.port, _ = listener.accept()
        listener.close()
        self.input = bytearray()
        self.next_id, self.next_cell, self.next_stream = 1, 1, 1
        self.outputs = {}  # kind and cell of each stream of the guest's that is open
        self.inputs = {}   # the stream of a cell's standard input
        self.given_up = {}  # of our streams: why
        self.files = {}     # uploads and downloads under way
        self.log, self.late, self.waiting, self.displays = [], {}, [], []

    def close(self):
        self.port.close()
        self.qemu.kill()
        self.qemu.wait()
        self.folder.cleanup()

    def console(self):
        with open(self.console_path, errors="replace") as file:
            return file.read()

    def send(self, kind, payload=b"", cell=0, number=None):
        if number is None:
            number, self.next_id = self.next_id, self.next_id + 1
        self.port.sendall(packed(kind, payload, cell, number))
        return number

    def send_together(self, *frames):
        """Frames of (kind, payload) in one piece: the agent has all of them before it acts on the first."""
        numbers = range(self.next_id, self.next_id + len(frames))
        self.next_id += len(frames)
        self.port.sendall(b"".join(packed(kind, payload, 0, number)
                                   for number, (kind, payload) in zip(numbers, frames)))
        return numbers

    def receive(self, timeout=60):
        """The next frame, or None when the time is over. What has to do with streams is looked at, and is
        no frame for the test, but for DATA, which is called OUTPUT, with its kind in `flags` and its id in `stream`."""
        end = time.monotonic() + timeout
        while True:
            frame = self.receive_any(end - time.monotonic())
            if frame is None or not self.take_stream(frame):
                return frame

    def take_stream(self, frame):
        if frame.id in self.files:
            self.files[frame.id].take(self, frame)
            return True
        if frame.type == "DATA":
            kind, cell = self.outputs[frame.id]
            assert cell == frame.cell
            frame.type, frame.flags, frame.stream, frame.id = "OUTPUT", kind, frame.id, 0
            return False
        if frame.type == "OPEN":
            assert frame.id % 2 == 0 and frame.id not in self.outputs
            self.outputs[frame.id] = frame.payload[0], frame.cell
        elif frame.type == "SHUT":
            del self.outputs[frame.id]
        elif frame.type == "RESET":
            assert frame.id % 2 == 1
            self.given_up[frame.id] = Refused(frame)
            self.send("RESET", struct.pack("<I", 1) + blob(""), frame.cell, frame.id)
        return frame.type in ("OPEN", "SHUT", "RESET", "CREDIT")

    def credit(self, frame, taken=None):
        """Grants what an OUTPUT frame has taken."""
        if frame.stream in self.outputs:
            self.send("CREDIT", struct.pack("<Q", cost(frame) if taken is None else taken), frame.cell, frame.stream)

    def open_file(self, kind, params):
        file = File(self.next_stream, kind)
        self.files[file.id], self.next_stream = file, self.next_stream + 2
        self.send("OPEN", bytes([kind]) + blob(params), 0, file.id)
        return file

    def upload(self, path, mode=0):
        return self.open_file(UPLOAD, blob(path) + struct.pack("<I", mode))

    def download(self, path, offset=0, length=1 << 60):
        return self.open_file(DOWNLOAD, blob(path) + struct.pack("<QQ", offset, length))

    def until(self, condition, timeout=60):
        """Reads what comes until the condition holds."""
        end = time.monotonic() + timeout
        while not condition():
            frame = self.receive_any(end - time.monotonic())
            assert frame is not None, f"nothing came in {timeout} s; console: {self.console()}"
            assert self.take_stream(frame), frame

    def open_stdin(self, cell):
        self.inputs[cell], self.next_stream = self.next_stream, self.next_stream + 2
        self.send("OPEN", bytes([STDIN]) + blob(""), cell, self.inputs[cell])

    def give(self, cell, data=b"", eof=False):
        """Standard input: as much as there is a window for, which is for the test to know."""
        for at in range(0, len(data), PIECE):
            self.send("DATA", data[at:at + PIECE], cell, self.inputs[cell])
        if eof:
            self.send("SHUT", b"", cell, self.inputs[cell])

    def receive_any(self, timeout=60):
        """The next frame of any kind, or None when the time is over."""
        end = time.monotonic() + timeout
        while True:
            if len(self.input) >= 16:
                size, kind, flags, number, cell = struct.unpack_from("<IHHII", self.input)
                if len(self.input) >= 16 + size:
                    frame = Frame(kind, flags, number, cell, bytes(self.input[16:16 + size]))
                    del self.input[:16 + size]
                    return frame
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.port], [], [], left)[0]:
                return None
            data = self.port.recv(1 << 20)
            assert data, "the guest is gone: " + self.console()
            self.input += data

    def wait(self, wanted, timeout=60, out=None, credit=True):
        """The frame that @wanted accepts; others are noted."""
        end = time.monotonic() + timeout
        while True:
            frame = self.receive(max(end - time.monotonic(), 0))
            assert frame is not None, f"nothing came in {timeout} s; console: {self.console()}"
            if wanted(frame):
                return frame
            if frame.type == "OUTPUT":
                if credit:
                    self.credit(frame)
                if out is not None and frame.cell == out[0]:
                    out[frame.flags].append(frame.payload)
                else:
                    self.late[frame.cell] = self.late.get(frame.cell, b"") + frame.payload
            elif frame.type == "LOG":
                self.log.append(frame.payload[5:].decode())
            elif frame.type == "WAITING":
                self.waiting.append(frame)
            elif frame.type == "DISPLAY":
                self.displays.append(frame)

    def ask(self, kind, payload=b"", cell=0, timeout=60):
        """A request and its answer."""
        number = self.send(kind, payload, cell)
        frame = self.wait(lambda f: f.id == number, timeout)
        if frame.type == "ERROR":
            raise Refused(frame)
        return frame

    def exec_start(self, code, mode=KERNEL, timeout_ms=30000, max_stdout=1 << 20,
                   max_stderr=256 << 10, env=None, stdin=b"", flags=0, file=b"", argv=(), raw_argv=None):
        cell, self.next_cell = self.next_cell, self.next_cell + 1
        payload = struct.pack("<BBIQQ", mode, flags, timeout_ms, max_stdout, max_stderr)
        words = raw_argv or b"".join(word + b"\0" for word in argv)
        number = self.send("EXEC", payload + pairs(env or {}) + blob(file) + blob(words) + blob(code) +
                           blob(stdin), cell)
        if flags & 1:
            self.open_stdin(cell)
        return cell, number

    def exec_wait(self, started, timeout=90, credit=True):
        cell, number = started
        out = {0: cell, 1: [], 2: []}
        frame = self.wait(lambda f: f.id == number, timeout, out, credit)
        if frame.type == "ERROR":
            raise Refused(frame)
        return Done(frame, b"".join(out[1]), b"".join(out[2]))

    def exec(self, code, timeout=90, **options):
        return self.exec_wait(self.exec_start(code, **options), timeout)

    def ready(self, timeout=120):
        return self.wait(lambda f: f.type == "READY", timeout)
