#include "vm/qmp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct qmp_message message;

    if (qmp_parse((struct gb_bytes){data, size}, &message, NULL) == 0)
        cJSON_Delete(message.json);
    return 0;
}
