/* SPDX-License-Identifier: Apache-2.0 */
/* The serial console: short error messages, and powering off the machine. */
#pragma once

/* Uses the console that the kernel opened for PID 1; later messages go there too. */
void console_open(void);

/* The console's descriptor, for code that closes all others. */
int console_descriptor(void);

/* Writes one line with control characters replaced. Slow (each byte is a VM exit): only for
 * errors. */
void console_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Writes the line and powers the machine off. For fatal failures. */
_Noreturn void console_fatal(const char *format, ...) __attribute__((format(printf, 1, 2)));

_Noreturn void console_power_off(void);
