/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes for people. */
#pragma once

/* "132M", "1.2G"; never over five characters. */
void short_size(double bytes, char text[16]);
