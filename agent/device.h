/* SPDX-License-Identifier: Apache-2.0 */
/* Devices: loads kernel modules, and finds the disk and the port by the names that the host gave
 * them.
 *
 * Nothing depends on enumeration order: the disk is the one with the virtio serial "root", the port
 * is the one with the right name. Both may appear late, the port even before its name; the kernel
 * announces them by uevents, for which we wait.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <sys/types.h>

/* A non-blocking socket for the kernel's uevents, or -errno. Open it before loading modules. */
int device_open_uevents(void);

/* Discards what has arrived on @uevent_fd: only the wake-up matters. */
void device_drain_uevents(int uevent_fd);

/* Loads the modules listed in DIRECTORY/order, in that order, and removes their files. A module
 * that fails to load is an error; one that is already loaded is not. 0 or -errno. */
int device_load_modules(const char *directory);

/* Waits for the disk with this virtio serial and returns its name under /dev. @sys_fd is the root
 * of a sysfs. 0, or -ETIMEDOUT after @timeout_ms, or -errno. */
int device_wait_disk(int sys_fd, int uevent_fd, const char *serial, int timeout_ms, char *ret_name,
                     size_t size);

/* The same for a virtio-serial port, without waiting: -ENOENT if there is none of that name. */
int device_find_port(int sys_fd, const char *port, char *ret_name, size_t size);
