"""The guest's kernel: an uncompressed vmlinux for QEMU's PVH entry, and the modules it boots with.

A kernel is a function that takes (Packages, Report, directory), fills the directory with

    vmlinux         an ELF file
    modules/        module files and `order`, one file name a line in the order of loading
    release         the kernel's release, one line
    packages        `NAME VERSION` of each Debian package that it was made from

and is named in KERNELS. Modules may be none, then `order` is empty.
"""

import os
import shutil
import struct
import subprocess

from .report import BuildError

PACKAGE = "linux-image-cloud-amd64"

# What a guest needs before and after its root is mounted; the closure comes from the modules.
MODULES = ("virtio_mmio", "virtio_blk", "virtio_console", "virtio-rng", "erofs")

SETUP_SECTORS = 0x1F1   # offsets in the boot header, Documentation/x86/boot.rst
HEADER_MAGIC = 0x202
PAYLOAD = 0x248
LZ4_LEGACY_MAGIC = b"\x02\x21\x4c\x18"
SIGNATURE_MARK = b"~Module signature appended~\n"


def build_distribution(packages, report, target):
    """Debian's cloud kernel, taken apart."""
    depends = packages.field(PACKAGE, "Depends")
    image = next((d.split()[0] for d in depends.split(",") if d.strip().startswith("linux-image-")),
                 None)
    if image is None:
        raise BuildError(f"{PACKAGE} names no kernel package")
    deb = packages.fetch_one(image)
    unpacked = os.path.join(target, "unpacked")
    report.run("kernel", ["dpkg-deb", "--extract", deb, unpacked],
               failure="the kernel package could not be unpacked")
    release = image.removeprefix("linux-image-")
    with open(os.path.join(unpacked, "boot", "vmlinuz-" + release), "rb") as file:
        vmlinux = take_vmlinux(file.read())
    write(os.path.join(target, "vmlinux"), vmlinux)
    collect_modules(os.path.join(unpacked, "lib/modules", release, "kernel"),
                    os.path.join(target, "modules"))
    write(os.path.join(target, "release"), release.encode() + b"\n")
    write(os.path.join(target, "packages"),
          f"{image} {packages.field(image, 'Version')}\n".encode())
    shutil.rmtree(unpacked)


KERNELS = {"distribution": build_distribution}


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def take_vmlinux(image):
    """Returns the ELF file that is packed into a bzImage."""
    if image[HEADER_MAGIC:HEADER_MAGIC + 4] != b"HdrS":
        raise BuildError("the kernel is no bzImage")
    start, length = struct.unpack_from("<II", image, PAYLOAD)
    start += ((image[SETUP_SECTORS] or 4) + 1) * 512
    payload = image[start:start + length]
    if not payload.startswith(LZ4_LEGACY_MAGIC):
        raise BuildError("the kernel is not packed with LZ4: this builder must learn its packing")
    # The last four bytes are the unpacked size, which is none of the compressor's business.
    unpacked = subprocess.run(["lz4", "--decompress", "--stdout"], input=payload[:-4],
                              capture_output=True, check=False)
    if unpacked.returncode != 0 or not unpacked.stdout.startswith(b"\x7fELF") \
            or len(unpacked.stdout) != struct.unpack("<I", payload[-4:])[0]:
        raise BuildError("the kernel could not be unpacked")
    return unpacked.stdout


def collect_modules(source, target):
    """Copies MODULES and all that they depend on; writes the order of loading."""
    files = {}
    for folder, _, names in os.walk(source):
        for name in names:
            if name.endswith(".ko"):
                files[module_name(name)] = os.path.join(folder, name)
    order = []
    for name in MODULES:
        add_module(module_name(name), files, order)
    os.mkdir(target)
    for name in order:
        with open(files[name], "rb") as file:
            write(os.path.join(target, name + ".ko"), without_signature(file.read()))
    write(os.path.join(target, "order"), "".join(name + ".ko\n" for name in order).encode())


def module_name(name):
    return name.removesuffix(".ko").replace("-", "_")


def add_module(name, files, order):
    """Appends a module after those that it depends on; modinfo's list holds the direct ones."""
    waiting = [name]
    while waiting:
        if waiting[-1] not in files:
            raise BuildError(f"the kernel has no module {waiting[-1]}")
        missing = [d for d in dependencies(files[waiting[-1]])
                   if d not in order]
        if missing:
            waiting += missing
            continue
        ready = waiting.pop()
        if ready not in order:
            order.append(ready)


def dependencies(path):
    with open(path, "rb") as file:
        data = file.read()
    mark = b"\0depends="
    at = data.find(mark)
    if at < 0:
        return []
    text = data[at + len(mark):data.index(b"\0", at + 1)].decode()
    return [module_name(d) for d in text.split(",") if d]


def without_signature(data):
    """Drops the appended signature: checking it costs the guest time and proves nothing here,
    where kernel and modules come from the same place and the image's digest covers both."""
    if not data.endswith(SIGNATURE_MARK):
        return data
    length = struct.unpack(">I", data[-len(SIGNATURE_MARK) - 4:-len(SIGNATURE_MARK)])[0]
    return data[:-len(SIGNATURE_MARK) - 12 - length]
