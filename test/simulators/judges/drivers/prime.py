"""Prime Intellect's own command line, without the one package of it that has no wheel, which none of its commands for pods uses."""

import sys
from types import ModuleType

absent = ModuleType("gitignore_parser")
absent.parse_gitignore = None
sys.modules["gitignore_parser"] = absent

from commands import run as run_commands  # noqa: E402
from prime_cli.main import run  # noqa: E402

run_commands("prime", run)
