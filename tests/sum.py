# SPDX-License-Identifier: Apache-2.0
"""The last line of a run of tests: the sum of reports in JUnit's form."""

import sys
import xml.etree.ElementTree as tree

passed = failed = skipped = 0
for path in sys.argv[1:]:
    try:
        root = tree.parse(path).getroot()
    except (OSError, tree.ParseError) as problem:
        print(f"{path}: {problem}")
        failed += 1
        continue
    for suite in root.iter("testsuite"):
        total = int(suite.get("tests", 0))
        bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        left = int(suite.get("skipped", 0)) + int(suite.get("disabled", 0))
        passed, failed, skipped = passed + total - bad - left, failed + bad, skipped + left
print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
sys.exit(failed > 0 or passed == 0)
