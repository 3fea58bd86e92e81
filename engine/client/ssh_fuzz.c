/* SPDX-License-Identifier: Apache-2.0 */
/* What the far end of ssh says: a greeting, an error of its own with a sentence, or none; and the
 * last line of its standard error. */
#include <stdlib.h>
#include <string.h>

#include "client/ssh.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gb_buf line = {0}, said = {0};
    struct gb_err err = {0};

    if (size >= GB_GREETING_MAX)
        return 0;
    gb_buf_add(&line, data, size);
    (void)gb_buf_str(&line);
    if (gb_ssh_read_greeting(line.memory + line.start, line.size, &err) < 0 &&
        (err.code == GB_OK || err.message[0] == '\0'))
        abort();
    gb_ssh_last_line((struct gb_bytes){data, size}, &said);
    for (size_t i = 0; i < said.size; i++)
        if (gb_buf_data(&said)[i] < ' ')
            abort();
    gb_buf_release(&line);
    gb_buf_release(&said);
    return 0;
}
