/* Which accelerator really works. /dev/kvm may open and still be useless: on some hosts stock
 * guests hang under it for ever. So a small guest is booted under each and the first HELLO decides.
 */
#pragma once

#include "vm/host.h"

/* The answer: @accel and a sentence (borrowed), or an error. */
typedef void accel_done_fn(void *arg, enum gb_accel accel, const char *reason,
                           const struct gb_err *err);

/* Uses what the cache of @host knows, or boots guests and remembers the answer. @wanted: UNKNOWN
 * for whatever is best; TCG is believed; KVM that does not work is GB_EUNSUPPORTED. @done once,
 * from the loop. */
void accel_find(struct gb_host *host, enum gb_accel wanted, accel_done_fn *done, void *arg);

/* The remembered answer in @text if it was given for @key; UNKNOWN otherwise. *@ret_reason: gives.
 */
enum gb_accel accel_parse(struct gb_bytes text, const char *key, char **ret_reason);
