/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/qemu.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "platform/file.h"
#include "platform/system.h"
#include "vm/cpu.h"
#include "vm/private.h"

/* QEMU's own memory, besides the guest's and the accelerator's: some 60 MB are in use, half of it
 * thread stacks. */
enum { ARGV_MAX = 96, OWN_MB = 512 };

struct argv {
    char **items;
    size_t count;
};

static void add(struct argv *argv, const char *item)
{
    if (argv->count == ARGV_MAX)
        abort(); /* our bug: the array is too small for the line */
    argv->items[argv->count++] = xstrdup(item);
}

static void add2(struct argv *argv, const char *option, const char *value)
{
    add(argv, option);
    add(argv, value);
}

/* Takes @value. */
static void add_taken(struct argv *argv, const char *option, char *value)
{
    add2(argv, option, value);
    free(value);
}

static void add_launcher(struct argv *argv, const struct gb_host *host,
                         const struct qemu_machine *machine)
{
    add(argv, host->launcher);
    if (host->require_isolation)
        add(argv, "--require");
    if (machine->uid != 0)
        add_taken(argv, "--uid", xasprintf("%u", machine->uid));
    if (machine->accel == GB_ACCEL_KVM)
        add(argv, "--kvm");
    if (machine->accel == GB_ACCEL_HVF)
        add(argv, "--hvf");
    add_taken(argv, "--memory",
              xasprintf("%u", machine->memory_mb + OWN_MB + gb_accel_memory_mb(machine->accel)));
    add_taken(argv, "--keep", xasprintf("%d", QEMU_FD_END - QEMU_FD_QMP));
    if (host->firmware != NULL)
        add_taken(argv, "--file", xasprintf("firmware=%s", host->firmware));
    add_taken(argv, "--file", xasprintf("kernel=%s", host->images->kernel));
    add_taken(argv, "--file", xasprintf("initramfs=%s", host->images->initramfs));
    if (machine->image != NULL)
        add_taken(argv, "--file", xasprintf("root=%s", machine->image->path));
    if (machine->ram == GB_RAM_SHARED_FILE)
        add_taken(argv, "--write", xasprintf("ram=%s", machine->ram_path));
    if (machine->ram == GB_RAM_PRIVATE_FILE)
        add_taken(argv, "--read", xasprintf("ram=%s", machine->ram_path));
    add(argv, "--");
}

static void add_memory(struct argv *argv, const struct qemu_machine *machine)
{
    if (machine->ram == GB_RAM_ANONYMOUS) {
        add_taken(argv, "-object",
                  xasprintf("memory-backend-ram,id=ram,size=%uM", machine->memory_mb));
    } else {
        add_taken(argv, "-object",
                  xasprintf("memory-backend-file,id=ram,size=%uM,mem-path=%%{ram},share=%s",
                            machine->memory_mb, machine->ram == GB_RAM_SHARED_FILE ? "on" : "off"));
    }
    add_taken(argv, "-m", xasprintf("%uM", machine->memory_mb));
}

static void add_machine(struct argv *argv, const struct gb_machine *kind, enum gb_accel accel)
{
    const char *more = kind->accel_options[accel];

    add_taken(argv, "-M",
              xasprintf("%s,%s,memory-backend=ram,suppress-vmdesc=on%s%s", kind->name,
                        kind->options, more != NULL ? "," : "", more != NULL ? more : ""));
}

static void add_processor(struct argv *argv, const struct gb_host *host, enum gb_accel accel)
{
    struct gb_buf model = {0};

    add2(argv, "-accel", gb_accel_option(accel));
    cpu_add_model(&model, host->machine, accel, host->cpu_known);
    add_taken(argv, "-cpu", gb_buf_take_str(&model));
}

static char *kernel_command_line(const struct gb_host *host, const struct qemu_machine *machine)
{
    struct gb_buf line = {0};

    gb_machine_add_kernel_options(&line, host->machine);
    /* Under TCG the guest's counter is the host's. A kernel that has to calibrate it with the PIT
     * fails on a busy host, and then hangs: one boot in three on two loaded CPUs. */
    if (machine->accel == GB_ACCEL_TCG && host->machine->has_tsc && host->tsc_khz != 0)
        gb_buf_addf(&line, "tsc_early_khz=%u ", host->tsc_khz);
    if (machine->image != NULL)
        gb_buf_addf(&line, "glassbell.language=%s", machine->image->language);
    else
        gb_buf_adds(&line, "glassbell.probe=1");
    return gb_buf_take_str(&line);
}

/* The same devices in the same order for every VM of an image, because the device state depends on
 * them. */
static void add_devices(struct argv *argv, const char *virtio, const struct qemu_machine *machine)
{
    add_taken(argv, "-chardev", xasprintf("socket,id=qmp,fd=%d", QEMU_FD_QMP));
    add2(argv, "-mon", "chardev=qmp,mode=control");
    add_taken(argv, "-chardev", xasprintf("socket,id=console,fd=%d", QEMU_FD_CONSOLE));
    add2(argv, "-serial", "chardev:console");
    add_taken(argv, "-chardev", xasprintf("socket,id=agent,fd=%d", QEMU_FD_AGENT));
    add_taken(argv, "-device", xasprintf("virtio-serial-%s,max_ports=3", virtio));
    add2(argv, "-device", "virtserialport,chardev=agent,name=" GB_GUEST_PORT);
    /* Every VM has it, because the device state has to be the same with and without a network. */
    add_taken(argv, "-chardev", xasprintf("socket,id=network,fd=%d", QEMU_FD_NETWORK));
    add2(argv, "-device", "virtserialport,chardev=network,name=" GB_GUEST_NETWORK_PORT);
    add_taken(argv, "-device", xasprintf("virtio-rng-%s", virtio));
    if (machine->image != NULL) {
        add2(argv, "-drive",
             "id=root,if=none,format=raw,readonly=on,file.locking=off,file=%{root}");
        add_taken(argv, "-device",
                  xasprintf("virtio-blk-%s,drive=root,serial=" GB_GUEST_DISK, virtio));
        /* Empty: what a session's packages replace (gb_vm_attach()). The guest sees no difference,
         * because the size is the same and nothing has read it. */
        add_taken(argv, "-blockdev",
                  xasprintf("driver=null-co,node-name=" QEMU_SPARE_EMPTY
                            ",read-only=on,read-zeroes=on,size=%ju",
                            (uintmax_t)GB_GUEST_PACKAGES_DISK_BYTES));
        add_taken(argv, "-device",
                  xasprintf("virtio-blk-%s,id=" QEMU_SPARE_DEVICE ",drive=" QEMU_SPARE_EMPTY
                            ",serial=" GB_GUEST_PACKAGES_DISK,
                            virtio));
    }
}

static bool path_usable(const char *path)
{
    /* QEMU splits options at commas. */
    return path == NULL || (path[0] == '/' && strpbrk(path, ",\n") == NULL);
}

int qemu_build_argv(const struct gb_host *host, const struct qemu_machine *machine,
                    char ***ret_argv, struct gb_err *err)
{
    const char *const paths[] = {
        host->qemu,
        host->firmware,
        host->images->kernel,
        host->images->initramfs,
        machine->image != NULL ? machine->image->path : NULL,
        machine->ram_path,
    };
    struct argv argv = {xcalloc(ARGV_MAX + 1, sizeof(char *)), 0};

    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        if (!path_usable(paths[i])) {
            qemu_free_argv(argv.items);
            return gb_err_set(err, GB_EINVALID,
                              "QEMU cannot use a path that is relative or has a "
                              "comma or a newline in it: %s",
                              paths[i]);
        }
    }
    add_launcher(&argv, host, machine);
    add(&argv, host->qemu);
    add_machine(&argv, host->machine, machine->accel);
    add_memory(&argv, machine);
    add_processor(&argv, host, machine->accel);
    add2(&argv, "-smp", "1");
    if (host->firmware != NULL)
        add2(&argv, "-bios", "%{firmware}");
    add2(&argv, "-global", "migration.send-configuration=off");
    add(&argv, "-nodefaults");
    add(&argv, "-no-user-config");
    add2(&argv, "-display", "none");
    add(&argv, "-no-reboot");
    if (host->qemu_sandbox)
        add2(&argv, "-sandbox", QEMU_SANDBOX);
    if (!machine->incoming) {
        /* A restored guest has its kernel in RAM: loading the file would cost time and 55 MB. */
        add2(&argv, "-kernel", "%{kernel}");
        add2(&argv, "-initrd", "%{initramfs}");
        add_taken(&argv, "-append", kernel_command_line(host, machine));
    }
    add_devices(&argv, host->machine->virtio, machine);
    if (machine->incoming)
        add2(&argv, "-incoming", "defer");
    *ret_argv = argv.items;
    return 0;
}

/* Identifies the file without reading it: a package manager that replaces it changes this. */
static int describe_file(struct gb_buf *text, const char *name, const char *path,
                         struct gb_err *err)
{
    struct stat info;
    int64_t mtime_ns;

    if (stat(path, &info) < 0)
        return gb_err_sys(err, errno, "cannot look at %s", path);
    mtime_ns = gb_file_mtime_ns(&info);
    gb_buf_addf(text, "%s %s %jd %jd.%09jd\n", name, path, (intmax_t)info.st_size,
                (intmax_t)(mtime_ns / (int64_t)GB_NS_PER_S),
                (intmax_t)(mtime_ns % (int64_t)GB_NS_PER_S));
    return 0;
}

int gb_vm_describe(const struct gb_host *host, const struct gb_image *image, uint32_t memory_mb,
                   struct gb_buf *text, struct gb_err *err)
{
    /* Each server measures the counter's rate anew, with small differences; the CPU's name
     * represents it here. */
    struct gb_host steady = *host;
    const struct qemu_machine machine = {
        .accel = host->accel,
        .image = image,
        .memory_mb = memory_mb,
        .ram = GB_RAM_SHARED_FILE,
        .ram_path = "/ram",
    };
    /* Under emulation the CPU is QEMU's, whatever the host's is. */
    _cleanup_(freep) char *here = gb_system_describe(gb_accel_is_hardware(host->accel));
    char **argv;
    size_t i = 0;
    int r;

    steady.tsc_khz = 0;
    r = qemu_build_argv(&steady, &machine, &argv, err);
    if (r < 0)
        return r;
    while (strcmp(argv[i], "--") != 0)
        i++;
    gb_buf_addf(text, "host %s\nqemu %s\n", here, host->qemu_version);
    r = describe_file(text, "binary", host->qemu, err);
    if (r == 0 && host->firmware != NULL)
        r = describe_file(text, "firmware", host->firmware, err);
    for (i++; argv[i] != NULL; i++)
        gb_buf_addf(text, "argument %s\n", argv[i]);
    qemu_free_argv(argv);
    return r;
}

void qemu_free_argv(char **argv)
{
    for (size_t i = 0; argv[i] != NULL; i++)
        free(argv[i]);
    free(argv);
}
