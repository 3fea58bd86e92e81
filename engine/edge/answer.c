/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/answer.h"

#include <string.h>

#include "base/mem.h"
#include "net/http_line.h"

enum {
    ANSWER_IDLE, /* nothing is expected; must be zero */
    ANSWER_HEAD,
    ANSWER_BODY,
    ANSWER_PIECE_SIZE,
    ANSWER_PIECE,
    ANSWER_PIECE_END,
    ANSWER_TRAILER,
    ANSWER_UNTIL_CLOSE,
    ANSWER_UPGRADED,
};

enum { ANSWER_LINE_MAX = 4096 };

void gb_answer_release(struct gb_answer *answer)
{
    gb_buf_release(&answer->line);
    gb_mask_tail_release(&answer->tail);
}

void gb_answer_begin(struct gb_answer *answer, bool is_head, bool may_upgrade, bool is_plain)
{
    answer->state = ANSWER_HEAD;
    answer->is_head = is_head;
    answer->may_upgrade = may_upgrade;
    answer->is_plain = is_plain;
    answer->status = 0;
}

bool gb_answer_is_done(const struct gb_answer *answer)
{
    return answer->state == ANSWER_IDLE;
}

bool gb_answer_is_upgraded(const struct gb_answer *answer)
{
    return answer->state == ANSWER_UPGRADED;
}

static bool answer_refuse(struct gb_answer *answer, const char *why)
{
    answer->refused = why;
    return false;
}

/* ---- heads ---- */

struct answer_found {
    struct gb_http_framing framing;
    bool encoded, old; /* old: HTTP/1.0 */
};

/* HTTP/1.x SP NNN */
static bool answer_read_status(struct gb_answer *answer, struct gb_bytes line,
                               struct answer_found *found)
{
    unsigned status = 0;

    if (line.size < 12 || memcmp(line.data, "HTTP/1.", 7) != 0 ||
        (line.data[7] != '0' && line.data[7] != '1') || line.data[8] != ' ' ||
        (line.size > 12 && line.data[12] != ' '))
        return answer_refuse(answer, "a status line that is none");
    for (size_t i = 9; i < 12; i++) {
        if (line.data[i] < '0' || line.data[i] > '9')
            return answer_refuse(answer, "a status line that is none");
        status = status * 10 + (unsigned)(line.data[i] - '0');
    }
    if (status < 100 || status > 599)
        return answer_refuse(answer, "a status that is none");
    answer->status = status;
    found->old = line.data[7] == '0';
    return true;
}

static bool answer_read_field(struct gb_answer *answer, struct gb_bytes line,
                              struct answer_found *found)
{
    struct gb_bytes name, value;
    const char *why;

    if (!gb_http_line_field(line, &name, &value) || name.data[0] == ' ' || name.data[0] == '\t' ||
        name.data[name.size - 1] == ' ' || name.data[name.size - 1] == '\t')
        return answer_refuse(answer, "a field that is none");
    why = gb_http_framing_take(&found->framing, name, value);
    if (why != NULL)
        return answer_refuse(answer, why);
    if (gb_http_line_same(name, "content-encoding"))
        found->encoded |= !gb_http_line_same(value, "identity");
    return true;
}

static bool answer_choose_body(struct gb_answer *answer, const struct answer_found *found)
{
    const unsigned status = answer->status;

    if (status == 101 && !answer->may_upgrade)
        return answer_refuse(answer, "an upgrade that nobody asked for");
    if (found->framing.length && found->framing.pieces)
        return answer_refuse(answer, "Content-Length and Transfer-Encoding in one answer");
    if (found->old && found->framing.pieces)
        return answer_refuse(answer, "a Transfer-Encoding, which HTTP/1.0 does not have");
    answer->left = found->framing.size;
    if (status == 101)
        answer->state = ANSWER_UPGRADED;
    else if (status < 200)
        answer->state = ANSWER_HEAD; /* another one follows */
    else if (answer->is_head || status == 204 || status == 304)
        answer->state = ANSWER_IDLE;
    else if (found->framing.pieces)
        answer->state = ANSWER_PIECE_SIZE;
    else if (found->framing.length)
        answer->state = answer->left > 0 ? ANSWER_BODY : ANSWER_IDLE;
    else
        answer->state = ANSWER_UNTIL_CLOSE;
    if (answer->state != ANSWER_HEAD && answer->state != ANSWER_IDLE &&
        answer->state != ANSWER_UPGRADED && found->encoded && answer->is_plain)
        return answer_refuse(answer, "a compressed body, which cannot be searched for the secret");
    return true;
}

static bool answer_read_head(struct gb_answer *answer)
{
    struct gb_bytes rest = gb_buf_bytes(&answer->line);
    struct answer_found found = {0};
    bool first = true;

    for (;;) {
        struct gb_bytes line;
        const char *why = gb_http_line_next(&rest, &line);

        if (why != NULL)
            return answer_refuse(answer, why);
        if (line.size == 0 && !first)
            return answer_choose_body(answer, &found);
        if (first ? !answer_read_status(answer, line, &found)
                  : !answer_read_field(answer, line, &found))
            return false;
        first = false;
    }
}

/* Adds what was collected in `line`, masked. */
static void answer_pass_line(struct gb_answer *answer, struct gb_buf *out)
{
    struct gb_mask_tail none = {0};

    gb_mask_feed(answer->mask, answer->owners, &none, gb_buf_bytes(&answer->line), true, out);
    gb_mask_tail_release(&none);
    gb_buf_clear(&answer->line);
}

/* Collects bytes in `line`; true: there is a line end behind them now. */
static bool answer_collect(struct gb_answer *answer, struct gb_bytes *bytes, size_t most)
{
    const enum gb_http_line end = gb_http_line_collect(&answer->line, bytes, most);

    if (end == GB_HTTP_LINE_TOO_LONG)
        return answer_refuse(answer, "a line or a head that is too long");
    return end == GB_HTTP_LINE_WHOLE;
}

static bool answer_feed_head(struct gb_answer *answer, struct gb_bytes *bytes, struct gb_buf *out)
{
    while (bytes->size > 0) {
        if (!answer_collect(answer, bytes, GB_ANSWER_HEAD_MAX))
            return answer->refused == NULL;
        if (!gb_http_line_ends_head(&answer->line))
            continue;
        if (!answer_read_head(answer)) {
            answer->status = 0;
            return false;
        }
        answer_pass_line(answer, out);
        return true;
    }
    return true;
}

/* ---- bodies ---- */

/* Adds masked bytes of a chunked body as a chunk. */
static void answer_put_piece(struct gb_buf *out, struct gb_bytes bytes)
{
    if (bytes.size == 0)
        return;
    gb_buf_addf(out, "%zx\r\n", bytes.size);
    gb_buf_add(out, bytes.data, bytes.size);
    gb_buf_adds(out, "\r\n");
}

static void answer_mask_piece(struct gb_answer *answer, struct gb_bytes bytes, bool final,
                              struct gb_buf *out)
{
    _cleanup_(gb_buf_release) struct gb_buf masked = {0};

    gb_mask_feed(answer->mask, answer->owners, &answer->tail, bytes, final, &masked);
    answer_put_piece(out, gb_buf_bytes(&masked));
}

static bool answer_read_piece_size(struct gb_answer *answer)
{
    struct gb_bytes line = gb_buf_bytes(&answer->line);
    uint64_t size = 0;
    const size_t digits = gb_http_line_hex(line, &size);

    line.data += digits;
    line.size -= digits;
    /* An extension is dropped: chunks are made anew. */
    if (digits == 0 || memchr("\r; \t", line.data[0], 4) == NULL ||
        memchr(line.data, '\r', line.size) != line.data + line.size - 2)
        return answer_refuse(answer, "the size of a piece that is none");
    answer->left = size;
    answer->state = size > 0 ? ANSWER_PIECE : ANSWER_TRAILER;
    return true;
}

static bool answer_feed_line(struct gb_answer *answer, struct gb_bytes *bytes, struct gb_buf *out)
{
    bool empty;

    if (!answer_collect(answer, bytes, ANSWER_LINE_MAX))
        return answer->refused == NULL;
    if (answer->line.size < 2 || gb_buf_data(&answer->line)[answer->line.size - 2] != '\r')
        return answer_refuse(answer, "a line that does not end in CR LF");
    empty = answer->line.size == 2;
    if (answer->state == ANSWER_PIECE_SIZE) {
        if (!answer_read_piece_size(answer))
            return false;
    } else if (answer->state == ANSWER_PIECE_END) {
        if (!empty)
            return answer_refuse(answer, "a piece that is longer than it says");
        answer->state = ANSWER_PIECE_SIZE;
    } else if (!empty) { /* a field behind the body is dropped, too: nobody needs to have it */
        answer->left += answer->line.size;
        if (answer->left > GB_ANSWER_HEAD_MAX)
            return answer_refuse(answer, "fields behind a body that are too long");
    } else {
        answer_mask_piece(answer, (struct gb_bytes){NULL, 0}, true, out);
        gb_buf_adds(out, "0\r\n\r\n");
        answer->state = ANSWER_IDLE;
    }
    gb_buf_clear(&answer->line);
    return true;
}

static void answer_feed_body(struct gb_answer *answer, struct gb_bytes *bytes, struct gb_buf *out)
{
    struct gb_bytes part = {bytes->data, MIN(answer->left, (uint64_t)bytes->size)};

    bytes->data += part.size;
    bytes->size -= part.size;
    answer->left -= part.size;
    if (answer->state == ANSWER_PIECE) {
        answer_mask_piece(answer, part, false, out);
        if (answer->left == 0)
            answer->state = ANSWER_PIECE_END;
        return;
    }
    gb_mask_feed(answer->mask, answer->owners, &answer->tail, part, answer->left == 0, out);
    if (answer->left == 0)
        answer->state = ANSWER_IDLE;
}

bool gb_answer_feed(struct gb_answer *answer, struct gb_bytes bytes, struct gb_buf *out)
{
    bool good = answer->refused == NULL;

    while (good && bytes.size > 0) {
        switch (answer->state) {
        case ANSWER_IDLE:
            good = answer_refuse(answer, "an answer that nobody asked for");
            break;
        case ANSWER_HEAD:
            good = answer_feed_head(answer, &bytes, out);
            break;
        case ANSWER_BODY:
        case ANSWER_PIECE:
            answer_feed_body(answer, &bytes, out);
            break;
        case ANSWER_UNTIL_CLOSE:
        case ANSWER_UPGRADED:
            gb_mask_feed(answer->mask, answer->owners, &answer->tail, bytes, false, out);
            bytes.size = 0;
            break;
        default:
            good = answer_feed_line(answer, &bytes, out);
        }
    }
    return good;
}

static bool answer_is_in_pieces(const struct gb_answer *answer)
{
    return answer->state == ANSWER_PIECE || answer->state == ANSWER_PIECE_SIZE ||
           answer->state == ANSWER_PIECE_END || answer->state == ANSWER_TRAILER;
}

bool gb_answer_keeps(const struct gb_answer *answer)
{
    return answer->tail.bytes.size > 0 &&
           (answer_is_in_pieces(answer) || answer->state == ANSWER_UNTIL_CLOSE ||
            answer->state == ANSWER_UPGRADED);
}

void gb_answer_pass(struct gb_answer *answer, struct gb_buf *out)
{
    const struct gb_bytes none = {NULL, 0};

    if (answer_is_in_pieces(answer))
        answer_mask_piece(answer, none, true, out);
    else
        gb_mask_feed(answer->mask, answer->owners, &answer->tail, none, true, out);
}

bool gb_answer_end(struct gb_answer *answer, struct gb_buf *out)
{
    bool good = answer->state == ANSWER_IDLE || answer->state == ANSWER_UNTIL_CLOSE ||
                answer->state == ANSWER_UPGRADED;

    gb_answer_pass(answer, out); /* also of a body that was cut: it is no whole text */
    if (answer->state == ANSWER_UNTIL_CLOSE)
        answer->state = ANSWER_IDLE;
    return good;
}
