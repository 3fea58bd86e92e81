/* SPDX-License-Identifier: Apache-2.0 */
#include "screen/style.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

static const char *const roles[] = {
#define ROLE_X(constant, name, meaning) name,
    ROLES(ROLE_X)
#undef ROLE_X
};
static_assert(ARRAY_SIZE(roles) == ROLE_COUNT, "a row for each role");

const char *role_name(enum role role)
{
    return roles[role];
}

enum role role_find(const char *name)
{
    for (size_t i = 0; i < ROLE_COUNT; i++)
        if (strcmp(roles[i], name) == 0)
            return (enum role)i;
    return ROLE_COUNT;
}
