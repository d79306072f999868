"""What the command line says, in Chinese: the sentence in English, and its translation.

`{name}` stands for what is put in. Of sentences that come finished from further in the whole is recognised, so their
names here are as good as any.
"""

from __future__ import annotations

__all__ = ["CATALOGUE"]

from hongyan.cli.chinese.answers import ANSWERS
from hongyan.cli.chinese.dns import DNS
from hongyan.cli.chinese.errors import ERRORS
from hongyan.cli.chinese.help import HELP
from hongyan.cli.chinese.settings import SETTINGS

CATALOGUE: dict[str, str] = {**HELP, **ANSWERS, **DNS, **ERRORS, **SETTINGS}
