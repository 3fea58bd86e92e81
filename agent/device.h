/* SPDX-License-Identifier: Apache-2.0 */
/* Devices: loading the kernel's modules, and finding disk and port by what the host called them.
 *
 * Nothing here goes by enumeration order: the disk is the one whose virtio serial is "root", the
 * port is the one that is named. Both may turn up late, the port before it has its name; the kernel
 * says so by uevents, which are waited for.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <sys/types.h>

/* The kernel's uevents, non-blocking, or -errno. To be opened before the modules are loaded. */
int device_open_uevents(void);

/* Throws away what has arrived on @uevent_fd: the news is that there is news. */
void device_drain_uevents(int uevent_fd);

/* Loads the modules that DIRECTORY/order lists, in that order, and removes their files. A module
 * that does not load is an error; that it is there already is not. 0 or -errno. */
int device_load_modules(const char *directory);

/* The name under /dev of the disk with this virtio serial, waiting until it is there. @sys_fd is
 * the top of a sysfs. 0, or -ETIMEDOUT after @timeout_ms, or -errno. */
int device_wait_disk(int sys_fd, int uevent_fd, const char *serial, int timeout_ms, char *ret_name,
                     size_t size);

/* The same for a virtio-serial port, without waiting: -ENOENT while there is none of that name. */
int device_find_port(int sys_fd, const char *port, char *ret_name, size_t size);
