/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's address while it has a network, and the route that makes every other IPv4 address
 * local. */
#pragma once

#include <stdint.h>

/* The guest's address: 10.113.0.2. Programs that ask for their own address find it, and so does
 * getaddrinfo(), which considers a machine with only a loopback address to have no IPv4. */
#define ROUTE_OWN UINT32_C(0x0a710002)
/* The DNS server's address: the first of 198.18.0.0/15, from which the host assigns the others. */
#define ROUTE_RESOLVER UINT32_C(0xc6120001)

/* 0 or -errno. */
int route_up(void);
/* No-op if it is not up. */
void route_down(void);
