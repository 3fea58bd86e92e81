/* SPDX-License-Identifier: Apache-2.0 */
#include "listening.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "bpf.h"
#include "console.h"

enum { RING_BYTES = 4096, LOOPBACK_NET = 127, LOOKS_MAX = 2 * LISTENING_SOCKETS };

/* What the program stores for each listening socket. */
struct listening_entry {
    uint32_t family;
    uint32_t ip4; /* network byte order */
    uint32_t ip6[4];
    uint32_t port;
    uint32_t unused;
};

/* ---- the program ---- */

#define CONTEXT(member) ((short)offsetof(struct bpf_sock_ops, member))
#define ENTRY(member) ((short)(-40 + (int)offsetof(struct listening_entry, member)))
#define KEEP(from, to) LOAD(2, 6, from), STORE(10, to, 2)

/* Keeps the map of listening sockets by their cookies, and wakes the reader of the ring. On its
 * stack: the key at -8, the entry at -40. The numbers count instructions. */
static int listening_load(int map, int ring)
{
    enum { LISTEN = 15, TELL = 44, DONE = 51, KEY = -8, VALUE = -40 };
    const struct bpf_insn program[] = {
        /* 0*/ MOVE(6, 1),
        /* 1*/ LOAD(2, 6, CONTEXT(op)),
        /* 2*/ IF_SAME(2, BPF_SOCK_OPS_TCP_LISTEN_CB, LISTEN - 3),
        /* 3*/ UNLESS_SAME(2, BPF_SOCK_OPS_STATE_CB, DONE - 4),
        /* 4*/ LOAD(2, 6, CONTEXT(args[0])), /* the state before */
        /* 5*/ UNLESS_SAME(2, BPF_TCP_LISTEN, DONE - 6),
        /* 6*/ MOVE(1, 6),
        /* 7*/ CALL(BPF_FUNC_get_socket_cookie),
        /* 8*/ STORE_LONG(10, KEY, 0),
        /* 9*/ LOAD_MAP(1, map), /* occupies two slots */
        /*11*/ MOVE(2, 10),
        /*12*/ WITH(BPF_ADD, 2, KEY),
        /*13*/ CALL(BPF_FUNC_map_delete_elem),
        /*14*/ GO(TELL - 15),
        /*15*/ MOVE(1, 6),
        /*16*/ SET(2, BPF_SOCK_OPS_STATE_CB_FLAG),
        /*17*/ CALL(BPF_FUNC_sock_ops_cb_flags_set),
        /*18*/ MOVE(1, 6),
        /*19*/ CALL(BPF_FUNC_get_socket_cookie),
        /*20*/ STORE_LONG(10, KEY, 0),
        /*21*/ KEEP(CONTEXT(family), ENTRY(family)), /* two instructions each */
        /*23*/ KEEP(CONTEXT(local_ip4), ENTRY(ip4)),
        /*25*/ KEEP(CONTEXT(local_ip6[0]), ENTRY(ip6[0])),
        /*27*/ KEEP(CONTEXT(local_ip6[1]), ENTRY(ip6[1])),
        /*29*/ KEEP(CONTEXT(local_ip6[2]), ENTRY(ip6[2])),
        /*31*/ KEEP(CONTEXT(local_ip6[3]), ENTRY(ip6[3])),
        /*33*/ KEEP(CONTEXT(local_port), ENTRY(port)),
        /*35*/ STORE(10, ENTRY(unused), 2),
        /*36*/ LOAD_MAP(1, map),
        /*38*/ MOVE(2, 10),
        /*39*/ WITH(BPF_ADD, 2, KEY),
        /*40*/ MOVE(3, 10),
        /*41*/ WITH(BPF_ADD, 3, VALUE),
        /*42*/ SET(4, BPF_ANY),
        /*43*/ CALL(BPF_FUNC_map_update_elem),
        /*44*/ LOAD_MAP(1, ring),
        /*46*/ MOVE(2, 10),
        /*47*/ WITH(BPF_ADD, 2, KEY),
        /*48*/ SET(3, sizeof(uint64_t)),
        /*49*/ SET(4, 0),
        /*50*/ CALL(BPF_FUNC_ringbuf_output), /* fails when the reader has been woken long ago */
        /*51*/ SET(0, 1),
        /*52*/ RETURN(),
    };
    union bpf_attr attr = {
        .prog_type = BPF_PROG_TYPE_SOCK_OPS,
        .insn_cnt = ARRAY_SIZE(program),
        .insns = bpf_pointer(program),
        .license = bpf_pointer("Apache-2.0"),
        .expected_attach_type = BPF_CGROUP_SOCK_OPS,
    };

    return (int)bpf_call(BPF_PROG_LOAD, &attr);
}

static int listening_map(uint32_t type, uint32_t key, uint32_t value, uint32_t entries)
{
    union bpf_attr attr = {
        .map_type = type, .key_size = key, .value_size = value, .max_entries = entries};

    return (int)bpf_call(BPF_MAP_CREATE, &attr);
}

/* The positions of the ring: ours to write, and the kernel's. */
static bool listening_map_ring(struct listening *listening)
{
    long page = sysconf(_SC_PAGESIZE);
    void *consumed =
        mmap(NULL, (size_t)page, PROT_READ | PROT_WRITE, MAP_SHARED, listening->ring.fd, 0);
    void *produced = mmap(NULL, (size_t)page, PROT_READ, MAP_SHARED, listening->ring.fd, page);

    listening->consumed = consumed;
    listening->produced = produced;
    return consumed != MAP_FAILED && produced != MAP_FAILED;
}

/* NULL, or what failed, with errno set. */
static const char *listening_attach(struct listening *listening, int cgroup_fd)
{
    _cleanup_(closep) int program = -1;
    union bpf_attr attr;

    listening->map_fd = listening_map(BPF_MAP_TYPE_HASH, sizeof(uint64_t),
                                      sizeof(struct listening_entry), LISTENING_SOCKETS);
    listening->ring.fd = listening_map(BPF_MAP_TYPE_RINGBUF, 0, 0, RING_BYTES);
    if (listening->map_fd < 0 || listening->ring.fd < 0)
        return "the maps";
    if (!listening_map_ring(listening))
        return "the ring";
    program = listening_load(listening->map_fd, listening->ring.fd);
    if (program < 0)
        return "the program";
    attr = (union bpf_attr){.link_create = {.prog_fd = (uint32_t)program,
                                            .target_fd = (uint32_t)cgroup_fd,
                                            .attach_type = BPF_CGROUP_SOCK_OPS}};
    listening->link_fd = (int)bpf_call(BPF_LINK_CREATE, &attr);
    return listening->link_fd < 0 ? "the link" : NULL;
}

/* ---- the state ---- */

static bool listening_is_reachable(const struct listening_entry *entry)
{
    static const uint32_t any[4] = {0};
    const uint32_t own[4] = {0, 0, 0, htonl(1)};
    /* ::ffff:127.0.0.1 */
    bool is_mapped = entry->ip6[0] == 0 && entry->ip6[1] == 0 && entry->ip6[2] == htonl(0xffff) &&
                     ntohl(entry->ip6[3]) == INADDR_LOOPBACK;

    if (entry->port == 0 || entry->port > UINT16_MAX)
        return false;
    if (entry->family == AF_INET)
        return entry->ip4 == 0 || ntohl(entry->ip4) == INADDR_LOOPBACK;
    return entry->family == AF_INET6 && (memcmp(entry->ip6, any, sizeof(any)) == 0 ||
                                         memcmp(entry->ip6, own, sizeof(own)) == 0 || is_mapped);
}

/* Keeps the lowest ones, in order. */
static void listening_insert(uint16_t *ports, unsigned *count, uint16_t port)
{
    unsigned at = *count;

    while (at > 0 && ports[at - 1] > port)
        at--;
    if (at == GB_LISTENING_MAX || (at > 0 && ports[at - 1] == port))
        return;
    if (*count < GB_LISTENING_MAX)
        (*count)++;
    memmove(ports + at + 1, ports + at, (*count - at - 1) * sizeof(*ports));
    ports[at] = port;
}

/* Programs may change the map meanwhile: then there is another wake-up. */
static unsigned listening_read(const struct listening *listening, uint16_t *ports)
{
    uint64_t key = 0, next = 0;
    struct listening_entry entry = {0};
    union bpf_attr attr = {.map_fd = (uint32_t)listening->map_fd, .next_key = bpf_pointer(&next)};
    unsigned count = 0;

    for (int i = 0; i < LOOKS_MAX && bpf_call(BPF_MAP_GET_NEXT_KEY, &attr) == 0; i++) {
        union bpf_attr look = {.map_fd = (uint32_t)listening->map_fd,
                               .key = bpf_pointer(&key),
                               .value = bpf_pointer(&entry)};

        key = next;
        attr.key = bpf_pointer(&key);
        if (bpf_call(BPF_MAP_LOOKUP_ELEM, &look) == 0 && listening_is_reachable(&entry))
            listening_insert(ports, &count, (uint16_t)entry.port);
    }
    return count;
}

static void listening_send(struct agent *agent)
{
    struct listening *listening = &agent->listening;
    uint8_t encoded[2 * GB_LISTENING_MAX];
    const struct gb_listening message = {{encoded, 2 * listening->count}};

    for (unsigned i = 0; i < listening->count; i++) {
        encoded[2 * i] = (uint8_t)listening->ports[i];
        encoded[2 * i + 1] = (uint8_t)(listening->ports[i] >> 8);
    }
    listening->told_ns = gb_clock_mono_ns();
    port_send(&agent->port, (struct gb_frame){.type = GB_GUEST_LISTENING}, &gb_listening_fields,
              &message);
}

static void listening_look(struct agent *agent)
{
    struct listening *listening = &agent->listening;
    uint16_t ports[GB_LISTENING_MAX];
    unsigned count = listening_read(listening, ports);

    if (count == listening->count && memcmp(ports, listening->ports, count * sizeof(*ports)) == 0)
        return;
    memcpy(listening->ports, ports, count * sizeof(*ports));
    listening->count = count;
    if (agent->port.connected)
        listening_send(agent);
}

static void listening_later(struct deadline *deadline)
{
    listening_look(container_of(deadline, struct agent, listening.later));
}

static void listening_ready(struct source *source)
{
    struct agent *agent = container_of(source, struct agent, listening.ring);
    struct listening *listening = &agent->listening;
    uint64_t due = listening->told_ns + LISTENING_PAUSE_MS * GB_NS_PER_MS;

    /* Nothing in the ring matters but that it is there. Emptied before the map is read, so that a
     * later change is another wake-up. */
    __atomic_store_n(listening->consumed, __atomic_load_n(listening->produced, __ATOMIC_ACQUIRE),
                     __ATOMIC_SEQ_CST);
    if (listening->told_ns == 0 || gb_clock_mono_ns() >= due)
        listening_look(agent);
    else if (!deadline_is_set(&listening->later))
        deadline_set(&agent->loop, &listening->later, due);
}

void listening_repeat(struct agent *agent)
{
    if (agent->listening.link_fd >= 0 && agent->port.connected)
        listening_send(agent);
}

void listening_init(struct agent *agent)
{
    struct listening *listening = &agent->listening;
    const char *failed;

    *listening = (struct listening){.map_fd = -1, .link_fd = -1};
    listening->ring = (struct source){.fd = -1, .rank = RANK_PIPE, .ready = listening_ready};
    deadline_init(&listening->later, listening_later);
    failed = listening_attach(listening, agent->cgroup.dir_fd);
    if (failed == NULL && loop_watch(&agent->loop, &listening->ring, EPOLLIN) < 0)
        failed = "the loop";
    if (failed != NULL)
        console_say("which ports programs listen on is not known: %s: %s", failed, strerror(errno));
}
