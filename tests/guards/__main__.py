"""`make prove-guards`: all of them, or those named."""

import sys

from tests.guards.guards import GUARDS
from tests.guards.proving import prove

named = set(sys.argv[1:])
if unknown := named - {guard.name for guard in GUARDS}:
    sys.exit(f"no such guard: {', '.join(sorted(unknown))}")
sys.exit(prove([guard for guard in GUARDS if not named or guard.name in named]))
