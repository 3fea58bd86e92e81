/* What can be asked of QEMU and of this machine before the first VM. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "loop/loop.h"

/* Runs @qemu without a machine: its version ("7.2.22") and whether it has -sandbox. @done is called
 * once, from the loop; @version is borrowed. GB_EUNSUPPORTED. */
void inspect_qemu(struct gb_loop *loop, const char *qemu,
                  void (*done)(void *arg, const char *version, bool sandbox,
                               const struct gb_err *err),
                  void *arg);

/* The version in the monitor's banner. False when there is none. */
bool inspect_parse_banner(struct gb_bytes text, char version[32]);

/* The rate of the time stamp counter, from a start to now: some milliseconds should lie between.
 * 0 where there is no such counter. */
struct inspect_tsc {
    uint64_t ns, ticks;
};
void inspect_tsc_start(struct inspect_tsc *start);
uint32_t inspect_tsc_khz(const struct inspect_tsc *start);

/* What the answer to "which accelerator works" depends on besides QEMU and the images: the host's
 * kernel and CPU, as one line. Gives. */
char *inspect_machine(void);
