"""`python -m zvonar` is the command `zvonar`."""

from zvonar.cli import main

main()
