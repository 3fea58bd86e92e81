/* SPDX-License-Identifier: Apache-2.0 */
/* What netd may ask of the guest's kernel once it serves. */
#pragma once

/* From now on only system calls for open descriptors, new connections and memory are possible, and
 * any other ends the process. Needs no_new_privs. 0 or -errno. */
int confine_calls(void);
