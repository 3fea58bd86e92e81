/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <sys/resource.h>

/* The first argument of setrlimit(). */
#ifdef __GLIBC__
typedef __rlimit_resource_t limits_resource;
#else
typedef int limits_resource;
#endif

/* Lowers both limits of this process on @resource, RLIMIT_…, to @most; a lower one stays. 0 or
 * -errno. */
int limits_lower(limits_resource resource, rlim_t most);
