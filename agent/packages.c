/* SPDX-License-Identifier: Apache-2.0 */
#include "packages.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "device.h"
#include "wire/guest.h"

/* In some images the place is a link to a folder in /home that is not there yet: npm takes a folder
 * above it for the project as soon as it has `node_modules`. */
static int packages_make_place(struct gb_err *err)
{
    static const unsigned long flags = MS_REMOUNT | MS_NOSUID | MS_NODEV | MS_NOEXEC;
    char place[64];
    ssize_t size;
    int r = 0;

    if (access(GB_GUEST_PACKAGES_PATH, F_OK) == 0)
        return 0;
    size = readlink(GB_GUEST_PACKAGES_PATH, place, sizeof(place) - 1);
    if (size <= 0)
        return gb_err_set(err, GB_EUNSUPPORTED,
                          "this image has no place for packages (%s): build it anew",
                          GB_GUEST_PACKAGES_PATH);
    place[size] = '\0';
    if (mount(NULL, "/home", NULL, flags, NULL) < 0 || mkdir(place, 0755) < 0)
        r = gb_err_sys(err, errno, "the place for packages cannot be made");
    if (mount(NULL, "/home", NULL, flags | MS_RDONLY, NULL) < 0 && r == 0)
        r = gb_err_sys(err, errno, "the place for packages cannot be made");
    return r;
}

int packages_mount(const struct boot *boot, struct gb_err *err)
{
    static bool mounted;
    char name[64], device[128];
    int r;

    if (mounted)
        return gb_err_set(err, GB_EBUSY, "packages have been mounted already");
    r = packages_make_place(err);
    if (r < 0)
        return r;
    r = device_wait_disk(boot->sys_fd, boot->uevent_fd, GB_GUEST_PACKAGES_DISK, 0, name,
                         sizeof(name));
    if (r < 0)
        return gb_err_sys(err, -r, "there is no disk for packages");
    /* The user's tree, in which this process is, has no device files for disks. */
    (void)snprintf(device, sizeof(device), "/proc/self/fd/%d/%s", boot->dev_fd, name);
    if (mount(device, GB_GUEST_PACKAGES_PATH, "erofs", MS_RDONLY | MS_NODEV | MS_NOSUID, NULL) <
        0) {
        if (errno == EINVAL || errno == EUCLEAN)
            return gb_err_set(err, GB_EINVALID, "the layer of packages is damaged: %s",
                              strerror(errno));
        return gb_err_sys(err, errno, "the packages cannot be mounted");
    }
    mounted = true;
    return 0;
}
