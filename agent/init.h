/* SPDX-License-Identifier: Apache-2.0 */
/* Boot: from the initramfs to the user's root.
 *
 *   initramfs  /init (the agent), /modules, /worker
 *   then       devtmpfs, proc, sysfs, cgroup2; modules; the disk "root" (EROFS, read-only)
 *   then       the user's tree over it: what can be written is one tmpfs of half the RAM, seen as
 *              /home/user, /tmp and /dev/shm; /dev holds what a program needs and no disk or port;
 *              /proc shows a user its own processes only; /sys is read-only
 *   then       move root, chroot
 *
 * What the agent still needs of the outside (device nodes, the writable cgroup tree, the files
 * behind /etc/hostname and the like) it keeps as descriptors: no path leads there any more.
 * Anything essential that fails ends the machine with one line on the console.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { USER_ID = 1000, LANGUAGE_BYTES = 33 };

#define USER_HOME "/home/user"
#define WORKER_ROOT "/run/glassbell"

/* Files of /etc that the agent rewrites. They are held open: finding and truncating a file is a
 * third of what CONFIGURE would cost in a guest whose every instruction is translated anew. */
enum state_file { STATE_HOSTNAME, STATE_HOSTS, STATE_MACHINE_ID, STATE_RESOLVER, STATE_FILES };

struct boot {
    char language[LANGUAGE_BYTES]; /* glassbell.language= of the kernel's command line; empty: a
                                    * probe, which has no disk, and stops after the modules */
    int uevent_fd;
    int dev_fd;    /* devtmpfs of the initramfs, with the ports */
    int sys_fd;    /* a sysfs */
    int proc_fd;   /* a procfs that shows all processes and may write sysctls */
    int cgroup_fd; /* top of a writable cgroup2 */
    int random_fd; /* /dev/urandom */
    struct {
        int fd;
        size_t size;
    } state[STATE_FILES];
};

/* Mounts, modules, disk, move of the root. Returns only when all that worked. */
void init_boot(struct boot *ret_boot);

/* What may wait until the worker has been started: loopback, sysctls that no running program
 * notices. */
void init_finish(const struct boot *boot);
