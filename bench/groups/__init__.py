"""One module for each group of measurements; `measure(report, plan)` adds its figures."""
