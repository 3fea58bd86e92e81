/* SPDX-License-Identifier: Apache-2.0 */
#include "past/device.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "past/record.h"
#include "platform/file.h"

int past_device_make(int *fd, struct gb_err *err)
{
    if (*fd < 0)
        *fd = gb_file_in_memory("device state", NULL);
    return *fd < 0 ? gb_err_sys(err, -*fd, "no memory for the state of devices") : 0;
}

void past_device_swap(int *one, int *other)
{
    const int fd = *one;

    *one = *other;
    *other = fd;
}

int past_device_read(int fd, struct gb_buf *device, struct gb_err *err)
{
    struct stat info;
    uint8_t *to;

    if (fstat(fd, &info) < 0)
        return gb_err_sys(err, errno, "cannot read the state of devices");
    if (info.st_size <= 0 || info.st_size > PAST_DEVICE_MAX)
        return gb_err_set(err, GB_ETOOLARGE, "the state of its devices has %jd bytes",
                          (intmax_t)info.st_size);
    to = gb_buf_reserve(device, (size_t)info.st_size, PAST_DEVICE_MAX);
    if (to == NULL || pread(fd, to, (size_t)info.st_size, 0) != info.st_size)
        return gb_err_set(err, GB_EINTERNAL, "cannot read the state of devices");
    gb_buf_commit(device, (size_t)info.st_size);
    return 0;
}

int past_device_write(int fd, struct gb_bytes device, struct gb_err *err)
{
    if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0 ||
        gb_fd_write_full(fd, device.data, device.size) < 0)
        return gb_err_sys(err, errno, "cannot write the state of devices");
    return 0;
}

bool past_device_is_same(int fd, int other, struct gb_err *err)
{
    _cleanup_(gb_buf_release) struct gb_buf one = {0}, two = {0};

    return past_device_read(fd, &one, err) == 0 && past_device_read(other, &two, err) == 0 &&
           one.size == two.size && memcmp(gb_buf_data(&one), gb_buf_data(&two), one.size) == 0;
}
