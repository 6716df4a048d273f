"""Draws a terminal session as an SVG: `… 2>&1 | python3 scripts/picture.py TITLE FILE.svg`.

Needs `pip install rich`. Set CLICOLOR_FORCE=1 for the programs that are drawn, or they print no colours.
"""

import re
import sys

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

title, target = sys.argv[1:3]
lines = [line.rstrip("\n") for line in sys.stdin]
plain = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in lines]
console = Console(record=True, width=max(60, min(124, max(map(len, plain)) + 1)), file=open("/dev/null", "w"), force_terminal=True)
for line in lines:
    console.print(Text.from_ansi(line), no_wrap=True, overflow="ellipsis")
console.save_svg(target, title=title, theme=MONOKAI, unique_id="trainyard")
