import sys

from ledgerlite.cli import main

sys.exit(main())
