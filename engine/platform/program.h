/* SPDX-License-Identifier: Apache-2.0 */
/* Location of the running program. */
#pragma once

/* The folder of the program's file, links followed; NULL if unknown. Gives. */
char *gb_program_folder(void);

/* A path that executes the running program again, even if its file has been replaced or removed.
 * NULL if there is none. Gives. */
char *gb_program_again(void);
