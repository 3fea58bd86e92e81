/* SPDX-License-Identifier: Apache-2.0 */
/* The processor that a guest is shown: what the accelerator offers, less some features.
 *
 * Which of them can be switched off depends on QEMU, which ends at a name that it does not know. So
 * it is asked once for the names that it knows (inspect.h), and what follows from the answer is in
 * one table.
 */
#pragma once

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "vm/host.h"

/* QEMU's type whose properties are the names that it knows. */
#define CPU_PROPERTIES_TYPE "max-x86_64-cpu"

/* What `qom-list-properties` returned for that type: a bit for each feature of the table that is
 * among it. False when it is no list of properties. */
bool cpu_read_known(const cJSON *properties, uint32_t *ret_known);

/* Adds the value of QEMU's option -cpu: nothing that is not @known is named. */
void cpu_add_model(struct gb_buf *buf, enum gb_accel accel, uint32_t known);
