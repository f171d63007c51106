"""io.net's own command line."""

from commands import run
from iocloud.cli.main import cli

run("iocloud", cli)
