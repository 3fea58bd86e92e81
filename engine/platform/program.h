/* SPDX-License-Identifier: Apache-2.0 */
/* Where the running program lies. */
#pragma once

/* The folder of the program's file, links followed; NULL when it cannot be told. Gives. */
char *gb_program_folder(void);

/* A path that starts the running program once more, even when its file has been replaced or removed
 * meanwhile. NULL when there is none. Gives. */
char *gb_program_again(void);
