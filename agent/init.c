/* SPDX-License-Identifier: Apache-2.0 */
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/mem.h"
#include "console.h"
#include "device.h"
#include "system.h"
#include "wire/guest.h"

#if __has_include(<sys/io.h>)
#include <sys/io.h>
#endif

#define ROOT "/root"
#define STATE "/state"
#define STORE "/store"

enum {
    DISK_TIMEOUT_MS = 30000,
    CMDLINE_MAX = 16 * 1024,
    PAGE_BYTES = 4096,
    INODES_MAX = 65536, /* the maximum that agent/track remembers */
};

static void make_dir(const char *path, mode_t mode)
{
    if (mkdir(path, mode) < 0 && errno != EEXIST)
        console_fatal("cannot make %s: %s", path, strerror(errno));
}

static void mount_or_die(const char *source, const char *target, const char *type,
                         unsigned long flags, const char *options)
{
    if (mount(source, target, type, flags, options) < 0)
        console_fatal("cannot mount %s on %s: %s", type != NULL ? type : source, target,
                      strerror(errno));
}

static void bind_mount(const char *source, const char *target, unsigned long flags)
{
    mount_or_die(source, target, NULL, MS_BIND, NULL);
    /* Flags of a bind mount only take effect with a second call. */
    if (flags != 0)
        mount_or_die(source, target, NULL, MS_BIND | MS_REMOUNT | flags, NULL);
}

static int open_dir(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        console_fatal("cannot open %s: %s", path, strerror(errno));
    return fd;
}

/* Reads glassbell.language= from the command line; the name becomes part of a path. Empty: a
 * probe. */
static void read_language(char ret_language[LANGUAGE_BYTES])
{
    static const char key[] = "glassbell.language=";
    _cleanup_(gb_buf_release) struct gb_buf line = {0};
    const char *at;
    size_t size;

    ret_language[0] = '\0';
    if (gb_fd_read_file("/proc/cmdline", CMDLINE_MAX, &line, NULL) < 0)
        console_fatal("cannot read the kernel's command line");
    at = strstr(gb_buf_str(&line), key);
    if (at == NULL && strstr(gb_buf_str(&line), "glassbell.probe=1") != NULL)
        return;
    if (at == NULL)
        console_fatal("the kernel's command line names no %s", key);
    at += sizeof(key) - 1;
    size = strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789-_");
    if (size == 0 || size >= LANGUAGE_BYTES || strchr(" \n", at[size]) == NULL)
        console_fatal("%s is not followed by a name", key);
    memcpy(ret_language, at, size);
    ret_language[size] = '\0';
}

/* Kernel interfaces, and the file systems that stay outside the user's tree. */
static void mount_outside(struct boot *boot)
{
    make_dir("/dev", 0755);
    make_dir("/proc", 0555);
    make_dir("/sys", 0555);
    mount_or_die("dev", "/dev", "devtmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755");
    console_open();
    mount_or_die("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    mount_or_die("sys", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    boot->dev_fd = open_dir("/dev");
    boot->proc_fd = open_dir("/proc");
    boot->sys_fd = open_dir("/sys");
    read_language(boot->language);
}

static void mount_cgroup(struct boot *boot)
{
    const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;

    make_dir("/cgroup", 0755);
    /* Processes that a cell leaves behind are moved between groups, and the kernel waits for a
     * grace period in that unless it is told to favour it (since 6.0). */
    if (mount("cgroup2", "/cgroup", "cgroup2", flags, "favordynmods") < 0)
        mount_or_die("cgroup2", "/cgroup", "cgroup2", flags, NULL);
    boot->cgroup_fd = open_dir("/cgroup");
}

static void open_random(struct boot *boot)
{
    boot->random_fd = openat(boot->dev_fd, "urandom", O_RDWR | O_CLOEXEC);
    if (boot->random_fd < 0)
        console_fatal("cannot open /dev/urandom: %s", strerror(errno));
}

static void mount_disk(struct boot *boot)
{
    char name[64], device[80];
    int r;

    r = device_wait_disk(boot->sys_fd, boot->uevent_fd, GB_GUEST_DISK, DISK_TIMEOUT_MS, name,
                         sizeof(name));
    if (r < 0)
        console_fatal("no disk called %s: %s", GB_GUEST_DISK, strerror(-r));
    (void)snprintf(device, sizeof(device), "/dev/%s", name);
    make_dir(ROOT, 0755);
    mount_or_die(device, ROOT, "erofs", MS_RDONLY | MS_NODEV | MS_NOSUID, NULL);
}

static void owned_by_user(const char *path, mode_t mode)
{
    if (chown(path, USER_ID, USER_ID) < 0 || chmod(path, mode) < 0)
        console_fatal("cannot give %s away: %s", path, strerror(errno));
}

/* An inode takes 1 KiB of kernel memory, which is charged to the user: with more inodes than there
 * are pages, an interpreter that lists or removes the maximum number of files has no room left
 * below its memory limit, and stalls. */
static unsigned long store_inodes(void)
{
    struct sysinfo info;

    (void)sysinfo(&info); /* cannot fail with a good address */
    return MIN(info.totalram * info.mem_unit / PAGE_BYTES / 2, (unsigned long)INODES_MAX);
}

/* One tmpfs behind all writable places, so that one limit applies to them together: half of the
 * memory, or on a small guest three quarters of the total limit of the user's processes, and as
 * many inodes as half of the memory has pages. File data cannot be reclaimed: the rest is for the
 * kernel, and for an interpreter that starts again, which with a few pages would read its own code
 * for minutes. */
static void mount_store(int proc_fd)
{
    const unsigned long flags = MS_NOSUID | MS_NODEV;
    struct sysinfo info;
    char options[80];
    uint64_t left, most = system_memory_limit(proc_fd, &left);

    (void)sysinfo(&info); /* cannot fail with a good address */
    most = MIN(most / 4 * 3, (uint64_t)info.totalram * info.mem_unit / 2);
    make_dir(STORE, 0700);
    (void)snprintf(options, sizeof(options), "mode=0711,size=%" PRIu64 ",nr_inodes=%lu", most,
                   store_inodes());
    mount_or_die("user", STORE, "tmpfs", flags, options);
    make_dir(STORE "/home", 0700);
    make_dir(STORE "/tmp", 0700);
    make_dir(STORE "/shm", 0700);
    owned_by_user(STORE "/home", 0755);
    if (chmod(STORE "/tmp", 01777) < 0 || chmod(STORE "/shm", 01777) < 0)
        console_fatal("cannot open /tmp for all: %s", strerror(errno));
    /* The image may lack the home: /home is a file system with a single directory. */
    mount_or_die("home", ROOT "/home", "tmpfs", flags | MS_NOEXEC, "mode=0755,size=4k,nr_inodes=4");
    make_dir(ROOT USER_HOME, 0755);
    mount_or_die("home", ROOT "/home", NULL, MS_REMOUNT | MS_RDONLY | flags | MS_NOEXEC,
                 "mode=0755,size=4k,nr_inodes=4");
    bind_mount(STORE "/home", ROOT USER_HOME, flags);
    bind_mount(STORE "/tmp", ROOT "/tmp", flags);
}

static void mount_dev(void)
{
    static const struct {
        const char *path;
        unsigned int major, minor;
    } nodes[] = {
        {ROOT "/dev/null", 1, 3},   {ROOT "/dev/zero", 1, 5},    {ROOT "/dev/full", 1, 7},
        {ROOT "/dev/random", 1, 8}, {ROOT "/dev/urandom", 1, 9}, {ROOT "/dev/tty", 5, 0},
    };
    static const struct {
        const char *target, *path;
    } links[] = {
        {"/proc/self/fd", ROOT "/dev/fd"},       {"/proc/self/fd/0", ROOT "/dev/stdin"},
        {"/proc/self/fd/1", ROOT "/dev/stdout"}, {"/proc/self/fd/2", ROOT "/dev/stderr"},
        {"pts/ptmx", ROOT "/dev/ptmx"},
    };
    static const char options[] = "mode=0755,size=4k,nr_inodes=32";
    const unsigned long flags = MS_NOSUID | MS_NOEXEC;

    mount_or_die("dev", ROOT "/dev", "tmpfs", flags, options);
    for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
        if (mknod(nodes[i].path, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)) < 0 ||
            chmod(nodes[i].path, 0666) < 0)
            console_fatal("cannot make %s: %s", nodes[i].path, strerror(errno));
    }
    for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
        if (symlink(links[i].target, links[i].path) < 0)
            console_fatal("cannot make %s: %s", links[i].path, strerror(errno));
    }
    make_dir(ROOT "/dev/pts", 0755);
    make_dir(ROOT "/dev/shm", 0755);
    mount_or_die("dev", ROOT "/dev", NULL, MS_REMOUNT | MS_RDONLY | flags, options);
    mount_or_die("pts", ROOT "/dev/pts", "devpts", flags, "newinstance,ptmxmode=0666,mode=0620");
    bind_mount(STORE "/shm", ROOT "/dev/shm", MS_NOSUID | MS_NODEV);
}

/* Creates a file of STATE; returns its descriptor. */
static int write_state_file(const char *name, const char *text)
{
    char path[64];
    int fd;

    (void)snprintf(path, sizeof(path), STATE "/%s", name);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0 || gb_fd_write_full(fd, text, strlen(text)) < 0)
        console_fatal("cannot make %s: %s", path, strerror(errno));
    return fd;
}

/* A file that the agent rewrites later, mounted over one in the read-only image. It gets its memory
 * now, because allocating it would cost time in every clone. */
static int bind_state(const char *name, const char *text)
{
    char source[64], target[64];
    int fd = write_state_file(name, text);

    (void)snprintf(source, sizeof(source), STATE "/%s", name);
    (void)snprintf(target, sizeof(target), ROOT "/etc/%s", name);
    if (access(target, F_OK) == 0)
        bind_mount(source, target, MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC);
    return fd;
}

/* Hides what the user's /proc reveals about the host's configuration or kernel internals, or makes
 * modifiable. The list is that of container runtimes (OCI's default masked and read-only paths),
 * plus what exists in our guests. Files that this kernel does not have need no cover. */
static void cover_proc(void)
{
    static const char *const masked[] = {
        "acpi",       "cmdline", "config.gz", "iomem",   "ioports",      "kallsyms",
        "kcore",      "keys",    "kmsg",      "modules", "sched_debug",  "slabinfo",
        "timer_list", "scsi",    "dma",       "mtrr",    "interrupts",   "key-users",
        "misc",       "devices", "fb",        "driver",  "pagetypeinfo", "vmallocinfo",
    };
    static const char *const read_only[] = {"bus", "fs", "irq", "sys", "sysrq-trigger", "sysvipc"};
    const unsigned long closed = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
    char path[64];
    struct stat status;

    for (size_t i = 0; i < ARRAY_SIZE(masked); i++) {
        (void)snprintf(path, sizeof(path), ROOT "/proc/%s", masked[i]);
        if (stat(path, &status) < 0)
            continue;
        if (S_ISDIR(status.st_mode))
            mount_or_die("none", path, "tmpfs", closed, "mode=0555,size=4k,nr_inodes=1");
        else
            bind_mount(ROOT "/dev/null", path, MS_RDONLY | MS_NOSUID | MS_NOEXEC);
    }
    for (size_t i = 0; i < ARRAY_SIZE(read_only); i++) {
        (void)snprintf(path, sizeof(path), ROOT "/proc/%s", read_only[i]);
        if (access(path, F_OK) == 0)
            bind_mount(path, path, closed);
    }
}

/* The parts of /sys that programs query: the numbers of processors and memory nodes, and how pages
 * are handled. The rest describes devices that do not concern them. */
static void mount_sys(void)
{
    static const char *const shown[] = {"devices/system/cpu", "devices/system/node", "kernel/mm"};
    static const char *const folders[] = {"devices", "devices/system", "kernel"};
    static const char options[] = "mode=0555,size=4k,nr_inodes=16";
    const unsigned long closed = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    char source[64], target[64];

    mount_or_die("sys", ROOT "/sys", "tmpfs", closed, options);
    for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
        (void)snprintf(target, sizeof(target), ROOT "/sys/%s", folders[i]);
        make_dir(target, 0555);
    }
    for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
        (void)snprintf(source, sizeof(source), "/sys/%s", shown[i]);
        (void)snprintf(target, sizeof(target), ROOT "/sys/%s", shown[i]);
        if (access(source, F_OK) < 0)
            continue; /* a kernel without NUMA nodes */
        make_dir(target, 0555);
        bind_mount(source, target, MS_RDONLY | closed);
    }
    mount_or_die("sys", ROOT "/sys", NULL, MS_REMOUNT | MS_RDONLY | closed, options);
}

/* /proc/version tells who built the kernel and on what system; uname(2) has the release and build,
 * which is all that programs need. */
static void cover_version(void)
{
    struct utsname name;
    char text[256];

    (void)uname(&name); /* cannot fail with a good address */
    (void)snprintf(text, sizeof(text), "%s version %s %s\n", name.sysname, name.release,
                   name.version);
    (void)gb_close(write_state_file("version", text));
    bind_mount(STATE "/version", ROOT "/proc/version",
               MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC);
}

/* The user's tree on top of the disk. */
static void mount_inside(struct boot *boot)
{
    static const struct {
        const char *name, *text;
    } files[STATE_FILES] = {
        [STATE_HOSTNAME] = {"hostname", "localhost\n"},
        [STATE_HOSTS] = {"hosts", "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost\n"},
        [STATE_MACHINE_ID] = {"machine-id", "\n"}, /* not known yet (machine-id(5)) */
        [STATE_RESOLVER] = {"resolv.conf", ""},    /* no name servers */
    };
    const unsigned long closed = MS_NOSUID | MS_NODEV | MS_NOEXEC;

    mount_store(boot->proc_fd);
    mount_dev();
    mount_or_die("proc", ROOT "/proc", "proc", closed, "hidepid=invisible");
    cover_proc();
    mount_sys();
    mount_or_die("run", ROOT "/run", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
                 "mode=0755,size=1m,nr_inodes=16"); /* for trust.c */
    make_dir(ROOT WORKER_ROOT, 0755);
    bind_mount("/worker", ROOT WORKER_ROOT, MS_RDONLY | MS_NOSUID | MS_NODEV);

    make_dir(STATE, 0700);
    mount_or_die("state", STATE, "tmpfs", closed, "mode=0755,size=64k,nr_inodes=8");
    for (size_t i = 0; i < STATE_FILES; i++) {
        boot->state[i].fd = bind_state(files[i].name, files[i].text);
        boot->state[i].size = strlen(files[i].text);
    }
    cover_version();
}

static void move_root(void)
{
    /* The running agent's code stays in memory without a name. */
    (void)unlink("/init");
    if (chdir(ROOT) < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 ||
        chdir("/") < 0)
        console_fatal("cannot move the root: %s", strerror(errno));
}

static void set_sysctl(int proc_fd, const char *name, const char *value)
{
    char path[128];
    int fd;

    (void)snprintf(path, sizeof(path), "sys/%s", name);
    fd = openat(proc_fd, path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return; /* not supported by this kernel, so there is nothing to switch off */
    if (write(fd, value, strlen(value)) < 0)
        console_say("%s: %s", name, strerror(errno));
    (void)gb_close(fd);
}

/* Settings without which no user code may ever run. */
static void harden(int proc_fd)
{
    static const struct {
        const char *name, *value;
    } settings[] = {
        {"kernel/kptr_restrict", "2"},
        {"kernel/dmesg_restrict", "1"},
        {"kernel/unprivileged_bpf_disabled", "2"},
        {"kernel/perf_event_paranoid", "3"},
        {"kernel/kexec_load_disabled", "1"},
        {"kernel/modules_disabled", "1"},
        {"kernel/sysrq", "0"},
        {"kernel/core_pattern", "\n"},
        {"kernel/randomize_va_space", "2"},
        {"kernel/pid_max", "32768"}, /* PID_MAX of cgroup.c */
        {"kernel/panic", "1"},       /* a panic causes a reset, which ends the VM */
        {"fs/suid_dumpable", "0"},
        {"fs/protected_symlinks", "1"},
        {"fs/protected_hardlinks", "1"},
        {"fs/protected_fifos", "2"},
        {"fs/protected_regular", "2"},
        {"user/max_user_namespaces", "0"},
        {"vm/unprivileged_userfaultfd", "0"},
        {"vm/mmap_min_addr", "65536"},
        /* A runaway allocation is to be stopped by the memory limit of its cgroup. Interpreters
         * reserve far more address space than they use, so overcommit stays heuristic. */
        {"vm/overcommit_memory", "0"},
        {"vm/panic_on_oom", "0"},
        {"vm/oom_dump_tasks", "0"}, /* listing a thousand tasks on a serial console takes minutes */
    };

    for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
        set_sysctl(proc_fd, settings[i].name, settings[i].value);
}

void init_boot(struct boot *ret_boot)
{
    struct boot *boot = ret_boot;
    int r;

    umask(0022);
    *boot = (struct boot){.uevent_fd = device_open_uevents()};
    if (boot->uevent_fd < 0)
        console_fatal("no uevents: %s", strerror(-boot->uevent_fd));
    mount_outside(boot);
    r = device_load_modules("/modules");
    if (r < 0)
        console_fatal("the modules could not be loaded: %s", strerror(-r));
    if (boot->language[0] == '\0')
        return;
    mount_cgroup(boot);
    open_random(boot);
    mount_disk(boot);
    mount_inside(boot);
    harden(boot->proc_fd);
    move_root();
}

/* The old timer chip (Intel 8254) runs at 18 Hz after reset, and a kernel that does not use it
 * leaves it running: its interrupt is masked, but it wakes QEMU twice per period. Mode 0 counts
 * down only once. Where processors have no I/O ports the C library has no header for them, and
 * there is no such chip. */
#if __has_include(<sys/io.h>)
static void stop_pit(int sys_fd)
{
    enum { PIT_COUNTER_0 = 0x40, PIT_CONTROL = 0x43, PIT_PORTS = 4, LOAD_MODE_0 = 0x30 };
    char device[16] = "";
    _cleanup_(closep) int fd = openat(
        sys_fd, "devices/system/clockevents/clockevent0/current_device", O_RDONLY | O_CLOEXEC);

    if (fd < 0 || read(fd, device, sizeof(device) - 1) < 0 || strncmp(device, "lapic", 5) != 0)
        return; /* it may be in use */
    if (ioperm(PIT_COUNTER_0, PIT_PORTS, 1) < 0)
        return;
    outb(LOAD_MODE_0, PIT_CONTROL);
    outb(0, PIT_COUNTER_0);
    outb(0, PIT_COUNTER_0);
    (void)ioperm(PIT_COUNTER_0, PIT_PORTS, 0);
}
#else
static void stop_pit(int sys_fd)
{
    (void)sys_fd;
}
#endif

/* The kernel assigns 127.0.0.1 and ::1 when the interface comes up. 127.0.1.1, the address of the
 * guest's own name, is added because glibc's resolver considers a machine whose only IPv4 address
 * is 127.0.0.1 to have no IPv4: with AI_ADDRCONFIG not even `localhost` has an address then
 * (getaddrinfo(3); sysdeps/unix/sysv/linux/check_pf.c). */
static void bring_loopback_up(void)
{
    struct ifreq up = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    struct ifreq second = {.ifr_name = "lo:1"};
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 0x100)};
    _cleanup_(closep) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    memcpy(&second.ifr_addr, &address, sizeof(address));
    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &up) < 0 || ioctl(fd, SIOCSIFADDR, &second) < 0)
        console_say("no loopback: %s", strerror(errno));
}

void init_finish(const struct boot *boot)
{
    /* These would wake an idle guest: twice a second, and every four seconds. */
    set_sysctl(boot->proc_fd, "vm/compaction_proactiveness", "0");
    set_sysctl(boot->proc_fd, "kernel/watchdog", "0");
    stop_pit(boot->sys_fd);
    bring_loopback_up();
}
