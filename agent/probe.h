/* SPDX-License-Identifier: Apache-2.0 */
/* A guest that only proves that it boots; the host uses it to try out accelerators
 * (engine/vm/accel.c). */
#pragma once

#include "init.h"

/* Opens the port, sends HELLO, and waits for the host to end the VM. */
_Noreturn void probe_serve(const struct boot *boot);
