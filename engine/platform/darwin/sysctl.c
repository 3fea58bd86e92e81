/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/darwin/sysctl.h"

#include <mach/mach.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysctl.h>

#include "base/mem.h"

uint64_t sysctl_number(const char *name)
{
    uint64_t wide = 0;
    uint32_t narrow;
    size_t size = sizeof(wide);

    if (sysctlbyname(name, &wide, &size, NULL, 0) < 0)
        return 0;
    if (size == sizeof(wide))
        return wide;
    memcpy(&narrow, &wide, sizeof(narrow));
    return size == sizeof(narrow) ? narrow : 0;
}

void sysctl_text(const char *name, char *text, size_t size)
{
    _cleanup_(freep) char *whole = NULL;
    size_t length = 0;

    text[0] = '\0';
    if (sysctlbyname(name, NULL, &length, NULL, 0) < 0 || length == 0 || length > 1 << 16)
        return;
    whole = xcalloc(1, length + 1);
    if (sysctlbyname(name, whole, &length, NULL, 0) == 0)
        (void)strlcpy(text, whole, size);
}

uint64_t sysctl_memory_available(void)
{
    mach_msg_type_number_t count = HOST_VM_INFO64_COUNT;
    vm_statistics64_data_t info = {0};
    const mach_port_t host = mach_host_self();
    const kern_return_t r = host_statistics64(host, HOST_VM_INFO64, (host_info64_t)&info, &count);

    (void)mach_port_deallocate(mach_task_self(), host);
    if (r != KERN_SUCCESS)
        return 0;
    /* Speculative pages are among the free ones. Inactive ones of files can be dropped. */
    return ((uint64_t)info.free_count + info.purgeable_count +
            MIN(info.inactive_count, info.external_page_count)) *
           vm_kernel_page_size;
}
