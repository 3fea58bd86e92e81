/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "parse/dns.h"

enum { BATCH = 64 };

/* A query forwarded to the host. */
struct resolver_question {
    struct sockaddr_in from;
    struct in_addr to; /* the server that the program thinks it is talking to */
    struct dns_query query;
    uint8_t message[DNS_MAX];
    size_t size;
};

static void resolver_answer(const struct resolver *resolver,
                            const struct resolver_question *question, int code,
                            const uint8_t *address, uint32_t ttl_s)
{
    uint8_t answer[DNS_MAX];
    alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct in_pktinfo))] = {0};
    const struct in_pktinfo info = {.ipi_spec_dst = question->to};
    struct sockaddr_in to = question->from;
    struct iovec part = {answer, dns_answer((struct gb_bytes){question->message, question->size},
                                            &question->query, code, address, ttl_s, answer)};
    struct msghdr message = {.msg_name = &to,
                             .msg_namelen = sizeof(to),
                             .msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);

    head->cmsg_level = IPPROTO_IP;
    head->cmsg_type = IP_PKTINFO;
    head->cmsg_len = CMSG_LEN(sizeof(info));
    memcpy(CMSG_DATA(head), &info, sizeof(info));
    (void)sendmsg(resolver->source.fd, &message, 0); /* a program without an answer asks again */
}

static void resolver_ask(struct resolver *resolver, struct resolver_question *question)
{
    const struct gb_resolve message = {.name = gb_bytes_str(question->query.name),
                                       .type = question->query.type};
    struct resolver_question *kept;
    struct gb_mux_stream *stream;

    stream = gb_mux_open(resolver->mux, GB_STREAM_RESOLVE, 0, &message);
    if (stream == NULL)
        return; /* too many: a program without an answer asks again */
    kept = xmalloc(sizeof(*kept));
    *kept = *question;
    stream->user = kept;
}

static bool resolver_receive(int fd, struct resolver_question *question)
{
    alignas(struct cmsghdr) char control[128];
    struct iovec part = {question->message, sizeof(question->message)};
    struct msghdr message = {.msg_name = &question->from,
                             .msg_namelen = sizeof(question->from),
                             .msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    ssize_t n = recvmsg(fd, &message, MSG_TRUNC);

    if (n < 0)
        return false;
    question->size = (size_t)n;
    question->to.s_addr = 0;
    for (struct cmsghdr *head = CMSG_FIRSTHDR(&message); head != NULL;
         head = CMSG_NXTHDR(&message, head)) {
        struct in_pktinfo info;

        if (head->cmsg_level != IPPROTO_IP || head->cmsg_type != IP_PKTINFO)
            continue;
        memcpy(&info, CMSG_DATA(head), sizeof(info));
        question->to = info.ipi_addr;
    }
    return true;
}

static void resolver_ready(struct source *source)
{
    struct resolver *resolver = container_of(source, struct resolver, source);
    struct resolver_question question;

    for (int i = 0; i < BATCH && resolver_receive(source->fd, &question); i++) {
        int code = dns_read((struct gb_bytes){question.message, question.size}, &question.query);

        if (code == DNS_OK && question.query.name[0] == '\0')
            code = DNS_REFUSED;
        if (code > DNS_OK)
            resolver_answer(resolver, &question, code, NULL, 0);
        else if (code == DNS_OK)
            resolver_ask(resolver, &question);
    }
}

int resolver_shut(struct resolver *resolver, struct gb_mux_stream *stream, struct gb_bytes word,
                  struct gb_err *err)
{
    static const int codes[GB_RESOLVED_COUNT] = {[GB_RESOLVED] = DNS_OK,
                                                 [GB_RESOLVE_NO_NAME] = DNS_NO_NAME,
                                                 [GB_RESOLVE_NOT_NOW] = DNS_REFUSED};
    const struct resolver_question *question = stream->user;
    struct gb_resolve_end end;
    uint8_t address[4];
    int r = gb_fields_decode(&gb_resolve_end_fields, word, &end, err);

    if (r < 0)
        return r;
    if (end.answer >= GB_RESOLVED_COUNT)
        return gb_err_set(err, GB_EINTERNAL, "SHUT of a name lookup: unknown answer %u",
                          end.answer);
    for (size_t i = 0; i < sizeof(address); i++)
        address[i] = (uint8_t)(end.address >> (24 - 8 * i));
    resolver_answer(resolver, question, codes[end.answer],
                    end.answer == GB_RESOLVED && end.address != 0 ? address : NULL, end.ttl_s);
    return 0;
}

void resolver_ended(struct resolver *resolver, struct gb_mux_stream *stream)
{
    (void)resolver;
    free(stream->user);
}

int resolver_init(struct resolver *resolver, struct loop *loop, struct gb_mux *mux,
                  const struct capture *capture)
{
    resolver->mux = mux;
    resolver->source =
        (struct source){.fd = capture->resolver, .rank = RANK_PIPE, .ready = resolver_ready};
    return loop_watch(loop, &resolver->source, EPOLLIN);
}
