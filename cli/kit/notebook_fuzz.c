/* SPDX-License-Identifier: Apache-2.0 */
/* A notebook of a stranger's, and the first line of a script of his. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "cli/language.h"
#include "cli/notebook.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *text = xmalloc(size + 1);
    struct gb_buf program = {0};
    struct notebook notebook;

    if (shebang_program((struct gb_bytes){data, size}, &program))
        assert(program.size > 0 && program.size < GB_SHEBANG_MAX);
    gb_buf_release(&program);
    memcpy(text, data, size);
    if (notebook_read(text, size, &notebook, NULL) == 0) {
        assert(notebook.language != NULL);
        for (size_t i = 0; i < notebook.count; i++)
            assert(notebook.cells[i].size > 0 && notebook.cells[i].size <= GB_CODE_MAX);
        notebook_release(&notebook);
    }
    free(text);
    return 0;
}
