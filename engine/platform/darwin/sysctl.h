/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's variables, and the machine's memory. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* A number of 4 or 8 bytes; 0 if there is none by that name. */
uint64_t sysctl_number(const char *name);

/* A text, cut to fit; empty if there is none by that name. */
void sysctl_text(const char *name, char *text, size_t size);

/* Bytes that are free, or can be made free without writing anything; 0: unknown. */
uint64_t sysctl_memory_available(void);
