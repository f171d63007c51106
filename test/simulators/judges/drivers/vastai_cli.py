"""Vast.ai's own command line."""

from commands import run
from vastai.cli.main import main

run("vastai", main)
