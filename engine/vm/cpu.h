/* SPDX-License-Identifier: Apache-2.0 */
/* The processor that a guest is shown: what the accelerator offers, less some features.
 *
 * Which of them can be switched off depends on QEMU, which ends at a name that it does not know. So
 * it is asked once for the names that it knows (inspect.h); which are to go is in the machine's
 * table (machine/machine.h).
 */
#pragma once

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "vm/host.h"

/* What `qom-list-properties` returned for the machine's type of CPU: a bit for each rule of
 * @machine whose feature is among it. False when it is no list of properties. */
bool cpu_read_known(const struct gb_machine *machine, const cJSON *properties, uint32_t *ret_known);

/* Adds the value of QEMU's option -cpu: nothing that is not @known is named. */
void cpu_add_model(struct gb_buf *buf, const struct gb_machine *machine, enum gb_accel accel,
                   uint32_t known);
