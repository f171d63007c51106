"""Runs `prime` without the one package of it that has no wheel, which none of its commands for pods uses."""

import sys
from types import ModuleType

absent = ModuleType("gitignore_parser")
absent.parse_gitignore = None
sys.modules["gitignore_parser"] = absent

from prime_cli.main import run  # noqa: E402

sys.exit(run())
