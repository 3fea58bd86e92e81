# SPDX-License-Identifier: Apache-2.0
"""A cross compiler for macOS and the libraries that Glassbell uses, built with it.

clang compiles and lld links, as they come from Debian. The headers of macOS and the names in its libraries
are in the package ziglang of the Python index. The libraries are built from Debian's source packages,
which apt fetches from where this machine's own packages come. All of it is kept, for every checkout, in
~/.cache/glassbell/cross, and built again when this file or the compiler has changed.
"""

import contextlib
import fcntl
import hashlib
import inspect
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "images"))

from imagekit import sources  # noqa: E402

CROSS = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "glassbell" / "cross"
# Quick to compile, and the linker is asked for every name that a source has.
FLAGS = "-O0 -g0"
# By Apple's names, with those of GNU's build systems.
ARCHITECTURES = {"arm64": "aarch64", "x86_64": "x86_64"}
# One process at a time, beside other work; continuous integration has the machine for itself.
JOBS = os.environ.get("GLASSBELL_CROSS_JOBS", "1")

APT = """\
Dir::State "{apt}";
Dir::State::lists "{apt}/lists";
Dir::State::status "/dev/null";
Dir::Cache "{apt}";
Dir::Etc::sourcelist "{apt}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Acquire::Languages "none";
Acquire::Retries "3";
APT::Sandbox::User "";
"""


def say(text):
    print(f"cross: {text}", flush=True)


# The headers of macOS cannot be had: neither good nor bad.
SKIPPED = 77


def run(words, log, status=1, **more):
    """Quiet, unless it fails, which ends this run with @status."""
    with open(log, "ab") as out:
        out.write(f"\n$ {' '.join(map(str, words))}\n".encode())
        out.flush()
        done = subprocess.run(["nice", "-n", "19", *map(str, words)], stdin=subprocess.DEVNULL, stdout=out,
                              stderr=subprocess.STDOUT, check=False, **more)
    if done.returncode != 0:
        tail = [line[:200] for line in pathlib.Path(log).read_text(errors="replace").splitlines()[-25:]]
        print(*tail, f"cross: failed; its whole output is in {log}", sep="\n", flush=True)
        if status == SKIPPED:
            print("0 passed, 0 failed, 1 skipped", flush=True)
        sys.exit(status)


# ---- the compiler ----

def digest(data):
    return hashlib.sha256(data).hexdigest()


def is_kept(folder, made):
    """Whether what lies there was made by the recipe of that name."""
    kept = folder / "recipe"
    return kept.exists() and kept.read_text() == made


def system():
    """What lies on a Mac for compilers and linkers: headers, and lists of the names in its libraries."""
    root, made = CROSS / "sysroot", digest(inspect.getsource(system).encode())
    if is_kept(root, made):
        return root
    say("installing the headers of macOS")
    venv, anew = CROSS / "venv", CROSS / "sysroot.new"
    for old in (venv, anew):
        shutil.rmtree(old, ignore_errors=True)
    run([sys.executable, "-m", "venv", venv], CROSS / "pip.log")
    run([venv / "bin" / "python3", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile",
         "ziglang>=0.13,<1"], CROSS / "pip.log", SKIPPED)
    (libc,) = venv.glob("lib/python3*/site-packages/ziglang/lib/libc")
    (anew / "usr" / "lib").mkdir(parents=True)
    shutil.move(libc / "include" / "any-darwin-any", anew / "usr" / "include")
    names = (libc / "darwin" / "libSystem.tbd").read_text()
    # The system's libraries are built for arm64e alone, and serve programs for arm64; lld asks for the latter.
    names = re.sub(r",\s*arm64e\.\w+-\w+", "", names).replace("arm64e-", "arm64-")
    (anew / "usr" / "lib" / "libSystem.tbd").write_text(names)
    for part in ("c", "dl", "m", "pthread"):
        (anew / "usr" / "lib" / f"lib{part}.tbd").symlink_to("libSystem.tbd")
    (anew / "recipe").write_text(made)
    for old in (venv, root):  # 300 MB are of no use here
        shutil.rmtree(old, ignore_errors=True)
    anew.rename(root)
    return root


def recipe():
    """What the libraries depend on, as one word."""
    said = subprocess.run(["clang", "--version"], stdout=subprocess.PIPE, check=True).stdout
    return digest(pathlib.Path(__file__).read_bytes() + said)


@contextlib.contextmanager
def alone():
    """One run at a time on this machine: others wait."""
    CROSS.mkdir(parents=True, exist_ok=True)
    with open(CROSS / "lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another run")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def script(path, words):
    path.write_text(f"#!/bin/sh\n{words}\n")
    path.chmod(0o755)


def tools(arch):
    """The names by which build systems call a compiler and its tools."""
    folder = CROSS / arch / "bin"
    folder.mkdir(parents=True, exist_ok=True)
    # clang 14 takes the unknown environment for every one that it does not know, and knows the type for few
    # processors.
    script(folder / "cc", f'''exec clang --target={arch}-apple-macos13 -isysroot "{system()}" -fuse-ld=lld \\
    '-D__is_target_environment(name)=0' -Wno-builtin-macro-redefined -Wno-unused-command-line-argument \\
    {"-D_Float16=float " if arch == "x86_64" else ""}-D_DARWIN_C_SOURCE "$@"''')
    script(folder / "ar", 'exec llvm-ar "$@"')
    script(folder / "ranlib", 'exec llvm-ranlib "$@"')
    # What is built is not installed.
    script(folder / "none", "true")
    return folder


def environment(arch, bin_folder):
    prefix = CROSS / arch / "prefix"
    return {"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": os.environ.get("HOME", "/"),
            "CC": str(bin_folder / "cc"), "AR": str(bin_folder / "ar"), "RANLIB": str(bin_folder / "ranlib"),
            "CFLAGS": FLAGS, "PKG_CONFIG_LIBDIR": f"{prefix}/lib/pkgconfig",
            "PKG_CONFIG_PATH": "", "PKG_CONFIG_SYSROOT_DIR": ""}


# ---- the libraries ----

def suite():
    text = pathlib.Path("/etc/os-release").read_text()
    return re.search(r"(?m)^VERSION_CODENAME=(\w+)$", text)[1]


def fetch(package):
    """Unpacks the package's original sources, without Debian's changes; returns their folder."""
    at = CROSS / "source" / package
    if not (at / "whole").exists():
        shutil.rmtree(at, ignore_errors=True)
        at.mkdir(parents=True)
        apt = CROSS / "apt"
        config = apt / "apt.conf"
        environ = {**os.environ, "APT_CONFIG": str(config), "LC_ALL": "C"}
        if not (apt / "fetched").exists():
            say("fetching the lists of source packages")
            (apt / "lists" / "partial").mkdir(parents=True, exist_ok=True)
            (apt / "archives" / "partial").mkdir(parents=True, exist_ok=True)
            config.write_text(APT.format(apt=apt))
            # Nothing that is built here is used, so that the suite without its updates will do.
            lines = sources.as_list([entry for entry in sources.from_host(suite()) if entry[1] == suite()])
            (apt / "sources.list").write_text(re.sub(r"(?m)^deb ", "deb-src ", lines))
            run(["apt-get", "update", "-q"], CROSS / "apt.log", env=environ)
            (apt / "fetched").touch()
        say(f"fetching {package}")
        run(["apt-get", "source", "-q", "--download-only", package], CROSS / "apt.log", cwd=at, env=environ)
        (archive,) = [path for path in at.glob("*.orig.tar.*") if path.suffix != ".asc"]
        with tarfile.open(archive) as tar:
            tar.extractall(at, filter="data") if hasattr(tarfile, "data_filter") else tar.extractall(at)
        (at / "whole").touch()
    (folder,) = [path for path in at.iterdir() if path.is_dir()]
    return folder


class Build:
    def __init__(self, arch):
        self.arch, self.recipe = arch, recipe()
        if not is_kept(CROSS / arch, self.recipe):
            shutil.rmtree(CROSS / arch, ignore_errors=True)
        self.bin = tools(arch)
        (CROSS / arch / "recipe").write_text(self.recipe)
        self.prefix = CROSS / arch / "prefix"
        self.environ = environment(arch, self.bin)

    def libraries(self):
        for name, how in LIBRARIES.items():
            self.environ = environment(self.arch, self.bin)
            self.library(name, how)
        self.environ = environment(self.arch, self.bin)

    def run(self, words, at):
        run(words, self.log, cwd=at, env=self.environ)

    def library(self, name, how):
        done = CROSS / self.arch / f"{name}.done"
        self.log = CROSS / self.arch / f"{name}.log"
        if done.exists():
            return
        source = fetch(name)
        say(f"building {name} for {self.arch}")
        self.log.unlink(missing_ok=True)
        at = CROSS / self.arch / "build" / name
        shutil.rmtree(at, ignore_errors=True)
        at.mkdir(parents=True)
        how(self, source, at)
        shutil.rmtree(at)
        done.touch()

    def configure(self, source, at, *options):
        self.run([source / "configure", f"--host={ARCHITECTURES[self.arch]}-apple-darwin22", "--build=x86_64-linux-gnu",
                  f"--prefix={self.prefix}", *options], at)

    def make(self, at, *targets):
        self.run(["make", "-j", JOBS, *targets], at)

    def cmake(self, source, at, *options):
        self.run(["cmake", "-G", "Ninja", "-S", source, "-B", at, f"-DCMAKE_TOOLCHAIN_FILE={self.toolchain()}",
                  "-DCMAKE_BUILD_TYPE=None", f"-DCMAKE_INSTALL_PREFIX={self.prefix}", "-DBUILD_SHARED_LIBS=OFF",
                  "-DBUILD_TESTING=OFF", *options], at)

    def toolchain(self):
        path = CROSS / self.arch / "toolchain.cmake"
        processor = self.arch
        path.write_text(
            "set(CMAKE_SYSTEM_NAME Darwin)\nset(CMAKE_SYSTEM_VERSION 22)\n"
            f"set(CMAKE_SYSTEM_PROCESSOR {processor})\n"
            f"set(CMAKE_C_COMPILER {self.bin}/cc)\n"
            f"set(CMAKE_AR {self.bin}/ar)\nset(CMAKE_RANLIB {self.bin}/ranlib)\n"
            f"set(CMAKE_INSTALL_NAME_TOOL {self.bin}/none)\n"
            # The compiler is told all of these.
            'set(CMAKE_OSX_SYSROOT "")\nset(CMAKE_OSX_ARCHITECTURES "")\nset(CMAKE_OSX_DEPLOYMENT_TARGET 13.0)\n'
            f"set(CMAKE_FIND_ROOT_PATH {self.prefix})\n"
            "set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)\nset(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)\n"
            "set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)\n")
        return path

    def pkg_config(self, name, version, libraries, below="."):
        """For what has no file of its own, or installs none."""
        folder = self.prefix / "lib" / "pkgconfig"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.pc").write_text(
            f"prefix={self.prefix}\nName: {name}\nDescription: {name}\nVersion: {version}\n"
            f"Libs: -L${{prefix}}/lib {libraries}\nCflags: -I${{prefix}}/include/{below}\n")


def with_cmake(*options):
    def how(build, source, at):
        build.cmake(source, at, *options)
        build.run(["ninja", "-j", JOBS, "install"], at)
    return how


def libuv(build, source, at):
    build.cmake(source, at, "-DLIBUV_BUILD_TESTS=OFF")
    # Without its shared library, which would be preferred.
    build.run(["ninja", "-j", JOBS, "uv_a"], at)
    shutil.copytree(source / "include", build.prefix / "include", dirs_exist_ok=True)
    (build.prefix / "lib").mkdir(parents=True, exist_ok=True)
    shutil.copy(next(one for one in (at / "libuv_a.a", at / "libuv.a") if one.exists()),
                build.prefix / "lib" / "libuv.a")
    build.pkg_config("libuv", "1.44", "-luv")


NOT_OF_TLS = ("aria", "bf", "blake2", "camellia", "cast", "cmp", "cms", "comp", "dsa", "dtls", "idea",
              "legacy", "md4", "mdc2", "ocsp", "rc2", "rc4", "rfc3779", "rmd160", "scrypt", "seed", "siphash",
              "siv", "sm2", "sm3", "sm4", "srp", "srtp", "ts", "whirlpool")


def openssl(build, source, at):
    target = "darwin64-arm64-cc" if build.arch == "arm64" else "darwin64-x86_64-cc"
    # Portable C is enough here, where nothing is run, and so is what TLS needs.
    build.run([source / "Configure", target, f"--prefix={build.prefix}", "--libdir=lib", "no-shared", "no-tests",
               "no-asm", "no-engine", "no-module", *(f"no-{name}" for name in NOT_OF_TLS)], at)
    build.make(at, "build_generated")
    build.make(at, "libcrypto.a", "libssl.a")
    shutil.copytree(source / "include" / "openssl", build.prefix / "include" / "openssl", dirs_exist_ok=True)
    shutil.copytree(at / "include" / "openssl", build.prefix / "include" / "openssl", dirs_exist_ok=True)
    for name in ("libcrypto.a", "libssl.a"):
        shutil.copy(at / name, build.prefix / "lib" / name)
    build.pkg_config("openssl", "3.0.0", "-lssl -lcrypto")


def ncurses(build, source, at):
    # Its tools that run while it is built are this machine's.
    build.environ["BUILD_CC"] = "cc"
    # A header that is not among those of macOS here: the numbers of 4.2BSD for a terminal's speeds.
    (at / "missing" / "sys").mkdir(parents=True)
    (at / "missing" / "sys" / "ttydev.h").write_text("".join(
        f"#define B{speed} {number}\n" for number, speed in enumerate(
            (0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400))))
    build.environ["CPPFLAGS"] = f"-isystem {at}/missing"
    build.configure(source, at, "--without-ada", "--without-cxx", "--without-cxx-binding", "--without-manpages",
                    "--without-progs", "--without-tests", "--without-debug", "--without-shared", "--with-normal",
                    "--enable-widec", "--enable-ext-colors", "--enable-pc-files", "--disable-db-install",
                    "--with-default-terminfo-dir=/usr/share/terminfo",
                    f"--with-pkg-config-libdir={build.prefix}/lib/pkgconfig", "--disable-stripping")
    build.make(at, "libs")
    build.make(at, "install.libs", "install.includes")
    build.pkg_config("ncursesw", "6.4", "-lncursesw", "ncursesw")


def readline(build, source, at):
    build.environ["CPPFLAGS"] = f"-I{build.prefix}/include -I{build.prefix}/include/ncursesw"
    build.environ["LDFLAGS"] = f"-L{build.prefix}/lib"
    build.environ["bash_cv_wcwidth_broken"] = "no"
    # Glassbell has functions of these names, too, which only matters where both are in one file.
    build.environ["CFLAGS"] += "".join(f" -D{name}=rl_{name}" for name in ("xmalloc", "xrealloc", "xfree"))
    build.configure(source, at, "--disable-shared", "--enable-static", "--with-curses")
    build.make(at, "static")
    build.make(at, "install-static", "install-headers")
    build.pkg_config("readline", "8.2", "-lreadline -lncursesw")


def from_files(name, version, patterns, headers, *flags, below=""):
    """Of a few files of C, whose own build systems would look for much more."""
    def how(build, source, at):
        (at / "config.h").touch()  # of the optional things there is none
        files = sorted(path for pattern in patterns for path in source.glob(pattern))
        for path in files:
            build.run([build.environ["CC"], *FLAGS.split(), *flags, "-I", at, "-c", path, "-o", at / f"{path.stem}.o"], at)
        build.run([build.environ["AR"], "rcs", f"lib{name}.a", *(f"{path.stem}.o" for path in files)], at)
        for path, folder in ((at / f"lib{name}.a", "lib"), *((source / header, f"include/{below}") for header in headers)):
            (build.prefix / folder).mkdir(parents=True, exist_ok=True)
            shutil.copy(path, build.prefix / folder)
        build.pkg_config(name if below else f"lib{name}", version, f"-l{name}")
    return how


# In the order in which they need each other; by Debian's names of the source packages.
LIBRARIES = {
    "libuv1": libuv,
    "cjson": with_cmake("-DENABLE_CJSON_TEST=OFF", "-DENABLE_CJSON_UTILS=OFF", "-DENABLE_CUSTOM_COMPILER_FLAGS=OFF"),
    "libzstd": from_files("zstd", "1.5", ["lib/common/*.c", "lib/compress/*.c", "lib/decompress/*.c"],
                          ["lib/zstd.h", "lib/zstd_errors.h"], "-DZSTD_DISABLE_ASM"),
    "xxhash": from_files("xxhash", "0.8", ["xxhash.c"], ["xxhash.h"]),
    "utf8proc": from_files("utf8proc", "2.8", ["utf8proc.c"], ["utf8proc.h"], "-DUTF8PROC_STATIC"),
    # Of its many algorithms we use one.
    "nettle": from_files("nettle", "3.8", ["sha256.c", "sha256-compress.c", "write-be32.c"],
                         ["sha2.h", "nettle-types.h"], below="nettle"),
    "ncurses": ncurses,
    "readline": readline,
    "openssl": openssl,
}
