# SPDX-License-Identifier: Apache-2.0
"""The guest's kernel, unpacked, as QEMU boots it, and the modules it boots with.

A kernel is a function that takes (Packages, Report, directory), fills the directory with

    vmlinux         for x86-64 an ELF file with the entry of PVH, for arm64 an Image
    modules/        module files and `order`, one file name a line in the order of loading
    release         the kernel's release, one line
    packages        `NAME VERSION` of each Debian package that it was made from

and is named in KERNELS. Modules may be none, then `order` is empty. The Packages are those of the
kernel's suite, which need not be that of any root.
"""

import lzma
import os
import shutil
import struct
import subprocess
import zlib

from .report import BuildError

# What a guest needs before and after its root is mounted, as modules or built in; the closure comes
# from the modules.
MODULES = ("virtio_mmio", "virtio_blk", "virtio_console", "virtio-rng", "erofs")

SETUP_SECTORS = 0x1F1   # offsets in the boot header, Documentation/x86/boot.rst
HEADER_MAGIC = 0x202
PAYLOAD = 0x248
# How kernels and modules are packed: what it begins with, and who unpacks it.
PACKINGS = ((b"\x02\x21\x4c\x18", ("lz4", "--decompress", "--stdout")),
            (b"\x28\xb5\x2f\xfd", ("zstd", "--decompress", "--stdout", "--quiet")))
ELF_MAGIC = b"\x7fELF"
GZIP_MAGIC = b"\x1f\x8b"
# In the header of an Image, Documentation/arch/arm64/booting.rst, and of one that unpacks itself,
# drivers/firmware/efi/libstub/zboot-header.S.
ARM64_MAGIC_AT, ARM64_MAGIC = 0x38, b"ARM\x64"
ZBOOT_MAGIC_AT, ZBOOT_MAGIC, ZBOOT_PAYLOAD = 4, b"zimg", 8
MODULE_ENDINGS = (".ko", ".ko.xz", ".ko.zst")
SIGNATURE_MARK = b"~Module signature appended~\n"


def build_distribution(packages, report, target):
    """Debian's cloud kernel, taken apart."""
    package = packages.architecture.kernel_package
    depends = packages.field(package, "Depends")
    image = next((d.split()[0] for d in depends.split(",") if d.strip().startswith("linux-image-")),
                 None)
    if image is None:
        raise BuildError(f"{package} names no kernel package")
    deb = packages.fetch_one(image)
    unpacked = os.path.join(target, "unpacked")
    report.run("kernel", ["dpkg-deb", "--extract", deb, unpacked],
               failure="the kernel package could not be unpacked")
    release = image.removeprefix("linux-image-")
    with open(os.path.join(unpacked, "boot", "vmlinuz-" + release), "rb") as file:
        vmlinux = packages.architecture.take_kernel(file.read())
    write(os.path.join(target, "vmlinux"), vmlinux)
    collect_modules(modules_folder(unpacked, release), os.path.join(target, "modules"))
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
    if image[HEADER_MAGIC:HEADER_MAGIC + 4] != b"HdrS" or len(image) < PAYLOAD + 8:
        raise BuildError("the kernel is no bzImage")
    start, length = struct.unpack_from("<II", image, PAYLOAD)
    start += ((image[SETUP_SECTORS] or 4) + 1) * 512
    payload = image[start:start + length]
    if len(payload) != length or length < 8:
        raise BuildError("the kernel is cut off")
    # The last four bytes are the unpacked size, which is none of the compressor's business.
    unpacked = unpack(payload[:-4], "the kernel")
    if not unpacked.startswith(ELF_MAGIC) or len(unpacked) != struct.unpack("<I", payload[-4:])[0]:
        raise BuildError("the kernel could not be unpacked")
    return unpacked


def take_arm64_image(image):
    """Returns the Image that is packed into another one, or into a file, or is not packed."""
    if image[ZBOOT_MAGIC_AT:ZBOOT_MAGIC_AT + 4] == ZBOOT_MAGIC:
        start, length = struct.unpack_from("<II", image, ZBOOT_PAYLOAD)
        image = image[start:start + length]
        if len(image) != length or length < 8:
            raise BuildError("the kernel is cut off")
    if image[ARM64_MAGIC_AT:ARM64_MAGIC_AT + 4] != ARM64_MAGIC:
        image = unpack(image, "the kernel")
    if image[ARM64_MAGIC_AT:ARM64_MAGIC_AT + 4] != ARM64_MAGIC:
        raise BuildError("the kernel is no Image")
    return image


def unpack(data, what):
    if data.startswith(GZIP_MAGIC):
        try:
            return zlib.decompress(data, zlib.MAX_WBITS | 16)
        except zlib.error:
            raise BuildError(f"{what} could not be unpacked") from None
    for magic, argv in PACKINGS:
        if data.startswith(magic):
            done = run_unpacker(argv, data)
            if done.returncode != 0:
                raise BuildError(f"{what} could not be unpacked")
            return done.stdout
    raise BuildError(f"{what} is packed in a way that this builder does not know")


def run_unpacker(argv, data):
    try:
        return subprocess.run(argv, input=data, capture_output=True, check=False)
    except FileNotFoundError:
        raise BuildError(f"the program {argv[0]} is not installed") from None


def modules_folder(unpacked, release):
    """Newer packages have everything below /usr."""
    for top in ("usr/lib/modules", "lib/modules"):
        path = os.path.join(unpacked, top, release)
        if os.path.isdir(path):
            return path
    raise BuildError("the kernel's package has no modules")


def collect_modules(source, target):
    """Copies MODULES and all that they depend on; writes the order of loading."""
    files = {}
    for folder, _, names in os.walk(os.path.join(source, "kernel")):
        for name in names:
            if name.endswith(MODULE_ENDINGS):
                files[module_name(name)] = os.path.join(folder, name)
    builtin = read_builtin(os.path.join(source, "modules.builtin"))
    order, contents = [], {}
    for name in map(module_name, MODULES):
        if name not in builtin:
            add_module(name, files, builtin, order, contents)
    os.mkdir(target)
    for name in order:
        write(os.path.join(target, name + ".ko"), without_signature(contents[name]))
    write(os.path.join(target, "order"), "".join(name + ".ko\n" for name in order).encode())


def module_name(file):
    return os.path.basename(file).partition(".")[0].replace("-", "_")


def read_builtin(path):
    """The modules that are part of the kernel itself."""
    try:
        with open(path, encoding="utf-8") as file:
            return {module_name(line.strip()) for line in file}
    except FileNotFoundError:
        return set()


def read_module(path):
    with open(path, "rb") as file:
        data = file.read()
    try:
        if path.endswith(".xz"):
            data = lzma.decompress(data)
        elif path.endswith(".zst"):
            data = unpack(data, path)
    except lzma.LZMAError:
        data = b""
    if not data.startswith(ELF_MAGIC):
        raise BuildError(f"the module {os.path.basename(path)} could not be unpacked")
    return data


def add_module(name, files, builtin, order, contents):
    """Appends a module after those that it depends on; modinfo's list holds the direct ones."""
    waiting = [name]
    while waiting:
        if waiting[-1] not in files:
            raise BuildError(f"the kernel has no module {waiting[-1]}")
        if waiting[-1] not in contents:
            contents[waiting[-1]] = read_module(files[waiting[-1]])
        missing = [d for d in dependencies(contents[waiting[-1]])
                   if d not in order and d not in builtin]
        if missing:
            waiting += missing
            continue
        ready = waiting.pop()
        if ready not in order:
            order.append(ready)


def dependencies(data):
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
