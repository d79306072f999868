"""What the command line says, in Chinese: the sentence in English, and its translation.

`{name}` stands for what is put in. Of sentences that come finished from further in the whole is recognised, so their
names here are as good as any.
"""

from __future__ import annotations

__all__ = ["CATALOGUE"]

from hongyan.cli.chinese.abuse import ABUSE
from hongyan.cli.chinese.account_settings import ACCOUNT_SETTINGS
from hongyan.cli.chinese.answers import ANSWERS
from hongyan.cli.chinese.autoconfig import AUTOCONFIG
from hongyan.cli.chinese.client_certificates import CLIENT_CERTIFICATES
from hongyan.cli.chinese.dns import DNS
from hongyan.cli.chinese.domains import DOMAINS
from hongyan.cli.chinese.errors import ERRORS
from hongyan.cli.chinese.help import HELP
from hongyan.cli.chinese.jmap import JMAP
from hongyan.cli.chinese.reports import REPORTS
from hongyan.cli.chinese.screening import SCREENING
from hongyan.cli.chinese.sending import SENDING
from hongyan.cli.chinese.settings import SETTINGS
from hongyan.cli.chinese.sharing import SHARING
from hongyan.cli.chinese.web import WEB

CATALOGUE: dict[str, str] = {
    **HELP,
    **ACCOUNT_SETTINGS,
    **ANSWERS,
    **AUTOCONFIG,
    **CLIENT_CERTIFICATES,
    **DNS,
    **DOMAINS,
    **ERRORS,
    **ABUSE,
    **JMAP,
    **REPORTS,
    **SCREENING,
    **SENDING,
    **SETTINGS,
    **SHARING,
    **WEB,
}
