/* SPDX-License-Identifier: Apache-2.0 */
#include "capture.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "agent/bpf.h"
#include "agent/netd/route.h"
#include "parse/packet.h"

enum {
    LISTENER_PORT = 1,
    RESOLVER_PORT = 53,
    BACKLOG = 1024,
    QUEUE_BYTES = 1 << 20, /* for a burst of SYNs; a lost one is retransmitted after a second */
    OFFSET_FLAGS = 13,     /* in the TCP header */
    OFFSET_TTL = 8,        /* in the IP header */
    OFFSET_DESTINATION = 16,
    FLAGS_SYN_ACK = 0x12,
    FLAG_SYN = 0x02,
    LOOPBACK_NET = 127,
};

/* Keys of the socket map. */
enum { KEY_LISTENER, KEY_RESOLVER, KEY_COUNT };

#define CONTEXT(member) ((short)offsetof(struct bpf_sk_lookup, member))

/* Chooses the socket for a packet without a connection: packets to the guest's own addresses are
 * looked up as usual, TCP to any other address goes to the listener, UDP to port 53 to the
 * resolver, and other UDP nowhere, so that the program gets "port unreachable". The numbers count
 * instructions. */
static int capture_load_lookup(int map)
{
    enum { DROP = 29, PASS = 27, DONE = 31 };
    const struct bpf_insn program[] = {
        /* 0*/ MOVE(6, 1),
        /* 1*/ LOAD(2, 6, CONTEXT(family)),
        /* 2*/ UNLESS_SAME(2, AF_INET, PASS - 3),
        /* 3*/ LOAD(2, 6, CONTEXT(local_ip4)),
        /* 4*/ MOVE(3, 2),
        /* 5*/ WITH(BPF_AND, 3, 0xff),
        /* 6*/ IF_SAME(3, LOOPBACK_NET, PASS - 7),
        /* 7*/ IF_SAME(2, (int)htonl(ROUTE_OWN), PASS - 8),
        /* 8*/ SET(3, KEY_LISTENER),
        /* 9*/ LOAD(2, 6, CONTEXT(protocol)),
        /*10*/ IF_SAME(2, IPPROTO_TCP, 14 - 11),
        /*11*/ LOAD(2, 6, CONTEXT(local_port)),
        /*12*/ UNLESS_SAME(2, RESOLVER_PORT, DROP - 13),
        /*13*/ SET(3, KEY_RESOLVER),
        /*14*/ STORE(10, -4, 3),
        /*15*/ MOVE(2, 10),
        /*16*/ WITH(BPF_ADD, 2, -4),
        /*17*/ LOAD_MAP(1, map), /* occupies two slots */
        /*19*/ CALL(BPF_FUNC_map_lookup_elem),
        /*20*/ IF_NULL(0, DROP - 21),
        /*21*/ MOVE(7, 0),
        /*22*/ MOVE(1, 6),
        /*23*/ MOVE(2, 7),
        /*24*/ SET(3, 0),
        /*25*/ CALL(BPF_FUNC_sk_assign),
        /*26*/ GO(DONE - 27),
        /*27*/ SET(0, SK_PASS),
        /*28*/ RETURN(),
        /*29*/ SET(0, SK_DROP),
        /*30*/ RETURN(),
        /*31*/ MOVE(1, 7),
        /*32*/ CALL(BPF_FUNC_sk_release),
        /*33*/ SET(0, SK_PASS),
        /*34*/ RETURN(),
    };
    union bpf_attr attr = {
        .prog_type = BPF_PROG_TYPE_SK_LOOKUP,
        .insn_cnt = ARRAY_SIZE(program),
        .insns = bpf_pointer(program),
        .license = bpf_pointer("Apache-2.0"),
        .expected_attach_type = BPF_SK_LOOKUP,
    };

    return (int)bpf_call(BPF_PROG_LOAD, &attr);
}

static int capture_put(int map, uint32_t key, int fd)
{
    const uint64_t value = (uint64_t)fd;
    union bpf_attr attr = {
        .map_fd = (uint32_t)map, .key = bpf_pointer(&key), .value = bpf_pointer(&value)};

    return (int)bpf_call(BPF_MAP_UPDATE_ELEM, &attr);
}

static int capture_link(int program, int namespace)
{
    union bpf_attr attr = {.link_create = {.prog_fd = (uint32_t)program,
                                           .target_fd = (uint32_t) namespace,
                                           .attach_type = BPF_SK_LOOKUP}};

    return (int)bpf_call(BPF_LINK_CREATE, &attr);
}

/* ---- filters ---- */

enum { KEEP = 0x7fffffff }; /* bytes of the packet */

/* Of eBPF, which is translated when it is loaded: a classic filter is when it is attached, and in a
 * clone under emulation that takes longer than the sockets. */
static int capture_load_filter(const struct bpf_insn *program, size_t count)
{
    union bpf_attr attr = {
        .prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
        .insn_cnt = (uint32_t)count,
        .insns = bpf_pointer(program),
        .license = bpf_pointer("Apache-2.0"),
    };

    return (int)bpf_call(BPF_PROG_LOAD, &attr);
}

/* For the listener: it accepts SYNs with our mark, and all packets of established connections. */
static int capture_load_hold(void)
{
    enum { ACCEPT = 8 };
    const struct bpf_insn program[] = {
        /* 0*/ MOVE(6, 1),
        /* 1*/ PACKET_BYTE(OFFSET_FLAGS),
        /* 2*/ WITH(BPF_AND, 0, FLAGS_SYN_ACK),
        /* 3*/ UNLESS_SAME(0, FLAG_SYN, ACCEPT - 4),
        /* 4*/ PACKET_BYTE(SKF_NET_OFF + OFFSET_TTL),
        /* 5*/ IF_SAME(0, PACKET_GRANTED_TTL, ACCEPT - 6),
        /* 6*/ SET(0, 0),
        /* 7*/ RETURN(),
        /* 8*/ SET(0, KEEP),
        /* 9*/ RETURN(),
    };

    return capture_load_filter(program, ARRAY_SIZE(program));
}

/* For the raw socket: it receives SYNs without our mark to addresses other than the guest's own. */
static int capture_load_see_syns(void)
{
    enum { DROP = 16 };
    const struct bpf_insn program[] = {
        /* 0*/ MOVE(6, 1),
        /* 1*/ PACKET_BYTE(0),
        /* 2*/ WITH(BPF_AND, 0, 0xf),
        /* 3*/ WITH(BPF_LSH, 0, 2), /* the length of the IP header */
        /* 4*/ MOVE(7, 0),
        /* 5*/ PACKET_BYTE_AT(7, OFFSET_FLAGS),
        /* 6*/ WITH(BPF_AND, 0, FLAGS_SYN_ACK),
        /* 7*/ UNLESS_SAME(0, FLAG_SYN, DROP - 8),
        /* 8*/ PACKET_BYTE(OFFSET_TTL),
        /* 9*/ IF_SAME(0, PACKET_GRANTED_TTL, DROP - 10),
        /*10*/ PACKET_WORD(OFFSET_DESTINATION),
        /*11*/ IF_SAME(0, ROUTE_OWN, DROP - 12),
        /*12*/ WITH(BPF_RSH, 0, 24),
        /*13*/ IF_SAME(0, LOOPBACK_NET, DROP - 14),
        /*14*/ SET(0, KEEP),
        /*15*/ RETURN(),
        /*16*/ SET(0, 0),
        /*17*/ RETURN(),
    };

    return capture_load_filter(program, ARRAY_SIZE(program));
}

static int capture_filter(int fd, int program)
{
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &program, sizeof(program));
}

const char *capture_prepare(struct capture *capture, int proc_fd)
{
    union bpf_attr attr = {.map_type = BPF_MAP_TYPE_SOCKMAP,
                           .key_size = sizeof(uint32_t),
                           .value_size = sizeof(uint64_t),
                           .max_entries = KEY_COUNT};
    _cleanup_(closep) int program = -1, namespace = -1;

    *capture = (struct capture){-1, -1, -1, -1, -1, -1, -1, -1};
    capture->map = (int)bpf_call(BPF_MAP_CREATE, &attr);
    if (capture->map < 0)
        return "the map of sockets";
    program = capture_load_lookup(capture->map);
    if (program < 0)
        return "the lookup program";
    capture->hold = capture_load_hold();
    capture->see_syns = capture_load_see_syns();
    if (capture->hold < 0 || capture->see_syns < 0)
        return "a socket's filter";
    namespace = openat(proc_fd, "self/ns/net", O_RDONLY | O_CLOEXEC);
    if (namespace < 0)
        return "the network namespace";
    capture->link = capture_link(program, namespace);
    return capture->link < 0 ? "the link of the lookup program" : NULL;
}

/* ---- sockets ---- */

static int capture_socket(int type, int protocol)
{
    return socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
}

static int capture_bind(int fd, uint16_t port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(ROUTE_RESOLVER)};
    const int on = 1;

    /* The route to it is added last, when everything behind it exists. */
    if (setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof(on)) < 0)
        return -1;
    return bind(fd, (const struct sockaddr *)&address, sizeof(address));
}

static const char *capture_sockets(struct capture *capture)
{
    const int on = 1, queue = QUEUE_BYTES;

    capture->syns = capture_socket(SOCK_RAW, IPPROTO_TCP);
    if (capture->syns < 0 || capture_filter(capture->syns, capture->see_syns) < 0 ||
        setsockopt(capture->syns, SOL_SOCKET, SO_RCVBUFFORCE, &queue, sizeof(queue)) < 0)
        return "the raw socket";
    capture->out = capture_socket(SOCK_RAW, IPPROTO_RAW);
    if (capture->out < 0)
        return "the raw socket for answers";
    capture->listener = capture_socket(SOCK_STREAM, 0);
    if (capture->listener < 0 || capture_bind(capture->listener, LISTENER_PORT) < 0 ||
        listen(capture->listener, BACKLOG) < 0 ||
        capture_filter(capture->listener, capture->hold) < 0)
        return "the listener";
    capture->resolver = capture_socket(SOCK_DGRAM, 0);
    if (capture->resolver < 0 ||
        setsockopt(capture->resolver, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) < 0 ||
        capture_bind(capture->resolver, RESOLVER_PORT) < 0)
        return "the resolver";
    return NULL;
}

const char *capture_open(struct capture *capture)
{
    const char *failed = capture_sockets(capture);

    if (failed == NULL && (capture_put(capture->map, KEY_LISTENER, capture->listener) < 0 ||
                           capture_put(capture->map, KEY_RESOLVER, capture->resolver) < 0))
        failed = "the sockets in their map";
    /* The kernel needs them no longer by these names. */
    capture->map = gb_close(capture->map);
    capture->hold = gb_close(capture->hold);
    capture->see_syns = gb_close(capture->see_syns);
    return failed;
}

void capture_close(struct capture *capture)
{
    int *const fds[] = {&capture->listener, &capture->resolver, &capture->syns, &capture->out,
                        &capture->link,     &capture->map,      &capture->hold, &capture->see_syns};

    for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
        *fds[i] = gb_close(*fds[i]);
}
