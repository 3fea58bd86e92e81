/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/system.h"

#include <sys/utsname.h>

#include "base/buf.h"
#include "base/mem.h"
#include "platform/darwin/sysctl.h"

enum { SYSTEM_TEXT_MAX = 2048 };

uint64_t gb_system_memory_total(void)
{
    return sysctl_number("hw.memsize");
}

uint64_t gb_system_memory_available(void)
{
    return sysctl_memory_available();
}

bool gb_system_limits_groups(void)
{
    return false;
}

char *gb_system_boot_id(void)
{
    char text[SYSTEM_TEXT_MAX];

    sysctl_text("kern.bootsessionuuid", text, sizeof(text));
    return xstrdup(text);
}

static void system_add_text(struct gb_buf *line, const char *name)
{
    char text[SYSTEM_TEXT_MAX];

    sysctl_text(name, text, sizeof(text));
    if (text[0] != '\0')
        gb_buf_addf(line, ", %s", text);
}

static void system_add_number(struct gb_buf *line, const char *name)
{
    const uint64_t number = sysctl_number(name);

    if (number != 0)
        gb_buf_addf(line, ", %s %llu", name, (unsigned long long)number);
}

/* The build of the system stands for its Hypervisor.framework, and the family of the processor for
 * the features of Apple's own. */
char *gb_system_describe(bool features)
{
    static const char *const texts[] = {"kern.osversion", "machdep.cpu.features",
                                        "machdep.cpu.leaf7_features", "machdep.cpu.extfeatures"};
    static const char *const numbers[] = {"hw.cpufamily", "hw.cpusubfamily",
                                          "machdep.cpu.microcode_version", "kern.hv_support"};
    struct utsname name = {0};
    struct gb_buf line = {0};

    (void)uname(&name); /* only fails for a bad address */
    gb_buf_addf(&line, "Darwin %s", name.release);
    system_add_text(&line, "machdep.cpu.brand_string");
    for (size_t i = 0; features && i < ARRAY_SIZE(texts); i++)
        system_add_text(&line, texts[i]);
    for (size_t i = 0; features && i < ARRAY_SIZE(numbers); i++)
        system_add_number(&line, numbers[i]);
    return gb_buf_take_str(&line);
}

const char *gb_system_accelerator(void)
{
    return "hvf";
}

/* Whether QEMU may use it depends on how it was signed as well, which only shows when it tries. */
int gb_system_open_accelerator(struct gb_err *err)
{
    if (sysctl_number("kern.hv_support") != 0)
        return 0;
    return gb_err_set(err, GB_EUNSUPPORTED,
                      "Hypervisor.framework is not supported here (kern.hv_support is 0)");
}
