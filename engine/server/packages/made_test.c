/* SPDX-License-Identifier: Apache-2.0 */
/* A builder that lies. */
#include "server/packages/made.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "check_run.h"

#define SHA "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

START_TEST(locks)
{
    static const char *const good[] = {
        "", /* of packages that this system does not need */
        "six==1.16.0 --hash=sha256:" SHA "\n",
        "@a/b==1.0.0 --hash=sha512:ab+/==\nleft-pad==1.3.0\n",
    };
    static const char *const bad[] = {
        "six==1.16.0",
        "\n",
        "six==1.16.0\n\n",
        "six==1.16.0\n--index-url=https://a.example/\n",
        "six==1.16.0\r\n",
        "-r /etc/passwd\n",
        "six @ file:///etc/passwd\n",
        "six==1.0 \x1b[2J\n",
        "six==1.0\n../../escape\n",
    };
    static const uint8_t nul[] = "six==1.0\0\n";

    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        ck_assert_msg(made_check_lock(gb_bytes_str(good[i])), "%s", good[i]);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        ck_assert_msg(!made_check_lock(gb_bytes_str(bad[i])), "%s", bad[i]);
    ck_assert(!made_check_lock((struct gb_bytes){nul, sizeof(nul) - 1}));
}
END_TEST

START_TEST(a_lock_has_a_limit)
{
    struct gb_buf text = {0};

    while (text.size < GB_PACKAGES_LOCK_MAX)
        gb_buf_adds(&text, "a\n");
    ck_assert(made_check_lock(gb_buf_bytes(&text)));
    gb_buf_adds(&text, "a\n");
    ck_assert(!made_check_lock(gb_buf_bytes(&text)));
    gb_buf_release(&text);
}
END_TEST

#define PIECE ((uint64_t)MADE_PIECE_MAX)
#define MOST MADE_LAYER_MAX

static const struct {
    const char *what;
    uint64_t before, said, piece, size;
    bool eof;
    enum made_layer made;
} pieces[] = {
    {"one", 0, 0, 10, 10, true, MADE_WHOLE},
    {"the first of two", 0, 0, PIECE, PIECE + 1, false, MADE_MORE},
    {"the second of two", PIECE, PIECE + 1, 1, PIECE + 1, true, MADE_WHOLE},
    {"the largest", MOST - PIECE, MOST, PIECE, MOST, true, MADE_WHOLE},
    {"nothing", 0, 0, 0, 0, true, MADE_NONSENSE},
    {"nothing, for ever", 0, 0, 0, 10, false, MADE_NONSENSE},
    {"nothing any more", PIECE, 2 * PIECE, 0, 2 * PIECE, false, MADE_NONSENSE},
    {"an early end", PIECE, 3 * PIECE, 10, 3 * PIECE, true, MADE_NONSENSE},
    {"no end", PIECE, PIECE + 10, 10, PIECE + 10, false, MADE_NONSENSE},
    {"more than it says", 0, 0, 11, 10, true, MADE_NONSENSE},
    {"more than was asked for", 0, 0, PIECE + 1, PIECE + 1, true, MADE_NONSENSE},
    {"it grows", PIECE, 2 * PIECE, PIECE, 3 * PIECE, false, MADE_NONSENSE},
    {"it shrinks", PIECE, 3 * PIECE, PIECE, 2 * PIECE, true, MADE_NONSENSE},
    {"too large at once", 0, 0, PIECE, MOST + 1, false, MADE_TOO_LARGE},
    {"too large in the end", MOST, MOST, 1, MOST, true, MADE_TOO_LARGE},
    {"sizes that wrap around", UINT64_MAX - 5, UINT64_MAX, 10, 4, true, MADE_NONSENSE},
    {"the largest number", 0, 0, 10, UINT64_MAX, true, MADE_TOO_LARGE},
};

START_TEST(layers)
{
    const enum made_layer made = made_take_piece(pieces[_i].before, pieces[_i].said,
                                                 pieces[_i].piece, pieces[_i].size, pieces[_i].eof);

    ck_assert_msg(made == pieces[_i].made, "%s: %d", pieces[_i].what, made);
}
END_TEST

/* Whatever it says, the number of pieces is bounded. */
START_TEST(every_layer_comes_to_an_end)
{
    uint64_t before = 0, pieces_taken = 0;

    while (made_take_piece(before, MOST, 1 << 19, MOST, false) == MADE_MORE) {
        before += 1 << 19;
        pieces_taken++;
    }
    ck_assert_uint_le(pieces_taken, MOST >> 19);
}
END_TEST

START_TEST(what_it_says)
{
    char line[MADE_LINE_MAX], text[MADE_LINE_MAX * 2];

    made_last_line(gb_bytes_str("one\ntwo\n\n"), line);
    ck_assert_str_eq(line, "two");
    made_last_line(gb_bytes_str("a\x1b]0;x\x07\xc2\x9b"
                                "1m\r"),
                   line);
    ck_assert_str_eq(line, "a ]0;x   1m ");
    made_last_line(gb_bytes_str(""), line);
    ck_assert_str_eq(line, "");
    memset(text, 'x', sizeof(text));
    made_last_line((struct gb_bytes){(const uint8_t *)text, sizeof(text)}, line);
    ck_assert_uint_eq(strlen(line), MADE_LINE_MAX - 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("made");
    TCase *tests = tcase_create("all");

    tcase_add_test(tests, locks);
    tcase_add_test(tests, a_lock_has_a_limit);
    tcase_add_loop_test(tests, layers, 0, (int)ARRAY_SIZE(pieces));
    tcase_add_test(tests, every_layer_comes_to_an_end);
    tcase_add_test(tests, what_it_says);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
