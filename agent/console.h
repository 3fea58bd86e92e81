/* SPDX-License-Identifier: Apache-2.0 */
/* The serial console: short lines for what goes wrong, and the end of the machine. */
#pragma once

/* Uses the console that the kernel gave to PID 1; later lines go there too. */
void console_open(void);

/* Where they go, for who closes all other descriptors. */
int console_descriptor(void);

/* One line, control characters replaced. Slow (each byte is a VM exit): errors only. */
void console_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Says the line and powers the machine off. For what nothing can work without. */
_Noreturn void console_fatal(const char *format, ...) __attribute__((format(printf, 1, 2)));

_Noreturn void console_power_off(void);
