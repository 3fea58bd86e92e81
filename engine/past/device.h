/* SPDX-License-Identifier: Apache-2.0 */
/* The state of a VM's devices, in a file in memory. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

/* Makes the file, unless *@fd is one already. */
int past_device_make(int *fd, struct gb_err *err);
void past_device_swap(int *one, int *other);
/* Adds it to @device. GB_ETOOLARGE: more than PAST_DEVICE_MAX bytes, or none. */
int past_device_read(int fd, struct gb_buf *device, struct gb_err *err);
int past_device_write(int fd, struct gb_bytes device, struct gb_err *err);
/* False, and @err unchanged: they differ; or an error. */
bool past_device_is_same(int fd, int other, struct gb_err *err);
