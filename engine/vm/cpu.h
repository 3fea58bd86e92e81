/* SPDX-License-Identifier: Apache-2.0 */
/* The CPU model of guests: what the accelerator offers, minus some features.
 *
 * Which features can be switched off depends on QEMU, which exits at a name that it does not know.
 * So it is asked once for the names that it knows (inspect.h); the machine's table
 * (machine/machine.h) lists those to switch off.
 */
#pragma once

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "vm/host.h"

/* Parses the result of `qom-list-properties` for the machine's CPU type: a bit for each rule of
 * @machine whose feature it contains. False if it is not a list of properties. */
bool cpu_read_known(const struct gb_machine *machine, const cJSON *properties, uint32_t *ret_known);

/* Adds the value of QEMU's option -cpu, naming only features in @known. */
void cpu_add_model(struct gb_buf *buf, const struct gb_machine *machine, enum gb_accel accel,
                   uint32_t known);
