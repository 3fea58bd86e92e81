/* SPDX-License-Identifier: Apache-2.0 */
/* The address that the guest has while it has a network, and the route that makes every other IPv4
 * address its own. */
#pragma once

#include <stdint.h>

/* Of the guest: 10.113.0.2. A program that asks for its own address finds it, and so does
 * getaddrinfo(), which takes a machine with a loopback address alone for one without IPv4. */
#define ROUTE_OWN UINT32_C(0x0a710002)
/* Of the DNS server: the first of 198.18.0.0/15, from which the host gives out the rest. */
#define ROUTE_RESOLVER UINT32_C(0xc6120001)

/* 0 or -errno. */
int route_up(void);
/* Harmless when nothing is there. */
void route_down(void);
