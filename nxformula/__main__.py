"""`python -m nxformula`: the command line."""

import sys

from nxformula.cli import main

sys.exit(main())
