/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of QEMU's monitor, and what is read out of the two that tell about QEMU. */
#include "vm/cpu.h"
#include "vm/inspect.h"
#include "vm/qmp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct inspected_qemu found;
    struct qmp_message message;
    uint32_t known;

    if (qmp_parse((struct gb_bytes){data, size}, &message, NULL) < 0)
        return 0;
    if (message.kind == QMP_GREETING)
        (void)inspect_read_greeting(message.value, &found);
    if (message.kind == QMP_RETURN)
        (void)cpu_read_known(gb_machine_native(), message.value, &known);
    cJSON_Delete(message.json);
    return 0;
}
