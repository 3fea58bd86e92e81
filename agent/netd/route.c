/* SPDX-License-Identifier: Apache-2.0 */
#include "route.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"

enum { LOOPBACK_INDEX = 1 };

struct route_request {
    struct nlmsghdr head;
    union {
        struct ifaddrmsg address;
        struct rtmsg route;
    } of;
    char attributes[64];
};

struct route_reply {
    struct nlmsghdr head;
    struct nlmsgerr error;
    char rest[256]; /* the request, and the kernel's reply */
};

static void route_add_attribute(struct route_request *request, unsigned short type,
                                const void *data, unsigned short size)
{
    struct rtattr *attribute = (void *)((char *)request + NLMSG_ALIGN(request->head.nlmsg_len));

    attribute->rta_type = type;
    attribute->rta_len = (unsigned short)RTA_LENGTH(size);
    memcpy(RTA_DATA(attribute), data, size);
    request->head.nlmsg_len =
        (uint32_t)(NLMSG_ALIGN(request->head.nlmsg_len) + RTA_ALIGN(attribute->rta_len));
}

static int route_ask(int fd, struct route_request *request)
{
    struct route_reply reply;
    ssize_t n;

    request->head.nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
    if (send(fd, request, request->head.nlmsg_len, 0) < 0)
        return -errno;
    n = recv(fd, &reply, sizeof(reply), 0);
    if (n < 0)
        return -errno;
    if ((size_t)n < sizeof(reply.head) + sizeof(reply.error) ||
        reply.head.nlmsg_type != NLMSG_ERROR)
        return -EPROTO;
    return reply.error.error;
}

static int route_set_address(int fd, unsigned short type, unsigned short flags)
{
    const uint32_t own = htonl(ROUTE_OWN);
    struct route_request request = {
        .head = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifaddrmsg)),
                 .nlmsg_type = type,
                 .nlmsg_flags = flags},
        .of.address = {.ifa_family = AF_INET,
                       .ifa_prefixlen = 32,
                       .ifa_scope = RT_SCOPE_UNIVERSE,
                       .ifa_index = LOOPBACK_INDEX},
    };

    route_add_attribute(&request, IFA_LOCAL, &own, sizeof(own));
    route_add_attribute(&request, IFA_ADDRESS, &own, sizeof(own));
    return route_ask(fd, &request);
}

/* `local 0.0.0.0/0 dev lo src 10.113.0.2`, in the table that is looked up last. */
static int route_set_default(int fd, unsigned short type, unsigned short flags)
{
    const uint32_t own = htonl(ROUTE_OWN), index = LOOPBACK_INDEX;
    struct route_request request = {
        .head = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)),
                 .nlmsg_type = type,
                 .nlmsg_flags = flags},
        .of.route = {.rtm_family = AF_INET,
                     .rtm_table = RT_TABLE_MAIN,
                     .rtm_protocol = RTPROT_STATIC,
                     .rtm_scope = RT_SCOPE_HOST,
                     .rtm_type = RTN_LOCAL},
    };

    route_add_attribute(&request, RTA_OIF, &index, sizeof(index));
    route_add_attribute(&request, RTA_PREFSRC, &own, sizeof(own));
    return route_ask(fd, &request);
}

static int route_open(void)
{
    return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
}

int route_up(void)
{
    _cleanup_(closep) int fd = route_open();
    int r;

    if (fd < 0)
        return -errno;
    r = route_set_address(fd, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE);
    return r < 0 ? r : route_set_default(fd, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE);
}

void route_down(void)
{
    _cleanup_(closep) int fd = route_open();

    if (fd < 0)
        return;
    /* Both report an error if there is nothing to remove. */
    (void)route_set_default(fd, RTM_DELROUTE, 0);
    (void)route_set_address(fd, RTM_DELADDR, 0);
}
