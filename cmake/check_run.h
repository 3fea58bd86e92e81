/* SPDX-License-Identifier: Apache-2.0 */
/* How a unit test ends: what the mains of all foo_test.c share. */
#pragma once

#include <check.h>
#include <stdlib.h>

/* Runs @suite, says what failed, and returns the exit status for main. Takes the suite. */
static inline int check_run(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    int failed;

    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
