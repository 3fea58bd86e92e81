# SPDX-License-Identifier: Apache-2.0
"""One module for each group of measurements; `measure(report, plan)` adds its figures."""
