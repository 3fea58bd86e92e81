/* SPDX-License-Identifier: Apache-2.0 */
/* A guest that only proves that it boots: the host tries accelerators with it (engine/vm/accel.c).
 */
#pragma once

#include "init.h"

/* Finds the port, says HELLO, and waits for the host to end the VM. */
_Noreturn void probe_serve(const struct boot *boot);
