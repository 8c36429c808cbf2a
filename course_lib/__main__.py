"""Start the command line: `python -m course_lib --help`."""

from course_lib.cli import main

raise SystemExit(main())
