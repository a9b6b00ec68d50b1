"""Holds DCC files against PTB's business rules (PyPI dcclib 0.4 with saxonche).

Usage: schematron.py FILE...   Exit 0: no finding of role error in any file; 1: some.

A successful report of role error counts like a failed assertion of that role: dcclib's own
verdict leaves reports out (missing methods, blanks in units, rules of lists).
"""

import sys

from dcclib.validation.schematron import SchematronValidator


def main() -> int:
    validator = SchematronValidator.for_dcc()
    errors = 0
    for path in sys.argv[1:]:
        result = validator.validate_file(path)
        for finding in [*result.failed_assertions, *result.successful_reports]:
            if finding.role == "information":
                continue
            print(f"{path}: {finding.role}: {' '.join(str(finding.text).split())}")
            errors += finding.role not in ("warning", "warn")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
