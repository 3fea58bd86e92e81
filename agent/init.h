/* SPDX-License-Identifier: Apache-2.0 */
/* Boot: from the initramfs to the user's root.
 *
 *   initramfs  /init (the agent), /modules, /worker
 *   then       devtmpfs, proc, sysfs, cgroup2; modules; the disk "root" (EROFS, read-only)
 *   then       the user's tree over it: writable is one tmpfs of half the RAM, visible as
 *              /home/user, /tmp and /dev/shm; /dev holds what a program needs and no disk or port;
 *              /proc shows a user its own processes only; /sys is read-only
 *   then       move root, chroot
 *
 * What the agent still needs from outside (device nodes, the writable cgroup tree, the files behind
 * /etc/hostname and others) it keeps as descriptors: no path leads there any more. If anything
 * essential fails, the machine powers off with one line on the console.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { USER_ID = 1000, LANGUAGE_BYTES = 33 };

#define USER_HOME "/home/user"
#define WORKER_ROOT "/run/glassbell"

/* Files in /etc that the agent rewrites. They are kept open: finding and truncating a file would be
 * a third of the cost of CONFIGURE in an emulated guest that executes all this code for the first
 * time. */
enum state_file { STATE_HOSTNAME, STATE_HOSTS, STATE_MACHINE_ID, STATE_RESOLVER, STATE_FILES };

struct boot {
    char language[LANGUAGE_BYTES]; /* glassbell.language= from the kernel's command line; empty: a
                                    * probe, which has no disk and stops after the modules */
    int uevent_fd;
    int dev_fd;    /* devtmpfs of the initramfs, with the ports */
    int sys_fd;    /* root of a sysfs */
    int proc_fd;   /* root of a procfs that shows all processes and has writable sysctls */
    int cgroup_fd; /* root of a writable cgroup2 */
    int random_fd; /* /dev/urandom */
    struct {
        int fd;
        size_t size;
    } state[STATE_FILES];
};

/* Mounts file systems, loads modules, finds the disk, moves the root. Returns only on success. */
void init_boot(struct boot *ret_boot);

/* What can wait until the worker has been started: loopback, and sysctls that running programs do
 * not notice. */
void init_finish(const struct boot *boot);
