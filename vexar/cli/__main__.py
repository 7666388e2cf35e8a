"""`python -m vexar.cli COMMAND`: the same as app.py, without loading the web application first."""

import sys

from vexar.cli import main

sys.exit(main())
