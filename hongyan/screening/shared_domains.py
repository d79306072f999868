"""Domains that belong to one owner and are used by many who have nothing to do with each other.

What one customer of a mailbox provider does says nothing of the next, and a signature by a service that sends for
others vouches for the service alone. Such a domain, and every name below it, has no reputation of its own here. Names
under which each customer has one of his own (`gappssmtp.com`, `onmicrosoft.com`) are not in the list.
"""

from __future__ import annotations

__all__ = ["SHARED_DOMAINS", "is_shared"]

from collections.abc import Collection
from typing import Final

_MAILBOXES: Final = """
    126.com 139.com 163.com 163.net 188.com 189.cn 21cn.com 263.net 2980.com aliyun.com eyou.com foxmail.com
    hotmail.com.cn qq.com sina.cn sina.com sina.com.cn sohu.com tom.com wo.cn yeah.net
    gmail.com googlemail.com
    hotmail.com hotmail.co.uk hotmail.de hotmail.es hotmail.fr hotmail.it live.com live.cn live.co.uk live.de live.fr
    live.it live.nl msn.com outlook.com outlook.de outlook.es outlook.fr outlook.jp passport.com windowslive.com
    icloud.com mac.com me.com privaterelay.appleid.com
    aol.com aim.com rocketmail.com yahoo.ca yahoo.co.in yahoo.co.jp yahoo.co.uk yahoo.com yahoo.com.au yahoo.com.br
    yahoo.com.cn yahoo.com.hk yahoo.com.sg yahoo.com.tw yahoo.de yahoo.es yahoo.fr yahoo.in yahoo.it ymail.com
    bluewin.ch bol.com.br comcast.net att.net bellsouth.net sbcglobal.net verizon.net cox.net charter.net
    free.fr laposte.net orange.fr sfr.fr wanadoo.fr
    freenet.de gmx.at gmx.ch gmx.com gmx.de gmx.net mail.com mailbox.org posteo.de t-online.de web.de
    alice.it libero.it tiscali.it virgilio.it
    bk.ru inbox.ru list.ru mail.ru rambler.ru yandex.com yandex.ru ya.ru ukr.net
    btinternet.com sky.com virginmedia.com
    daum.net hanmail.net naver.com nate.com docomo.ne.jp ezweb.ne.jp softbank.ne.jp
    abv.bg interia.pl o2.pl onet.pl op.pl seznam.cz wp.pl
    rediffmail.com terra.com.br uol.com.br
    cock.li disroot.org duck.com fastmail.com fastmail.fm hey.com hushmail.com inbox.lv mailfence.com pm.me proton.me
    protonmail.ch protonmail.com riseup.net runbox.com tuta.com tuta.io tutanota.com tutanota.de zoho.com zohomail.com
"""
"""Who gives or sells single mailboxes to anybody."""

_SENDERS: Final = """
    amazonses.com brevosend.com constantcontact.com createsend.com exacttarget.com hubspotemail.net klaviyomail.com
    mailchimpapp.net mailgun.org mailjet.com mandrillapp.com mcdlv.net mcsv.net mtasv.net postmarkapp.com rsgsv.net
    sendcloud.org sendgrid.net sendinblue.com sparkpostmail.com
"""
"""Who sends for anybody, and signs with a name of its own beside the customer's."""

SHARED_DOMAINS: Final = frozenset(f"{_MAILBOXES} {_SENDERS}".split())


def is_shared(domain: str, more: Collection[str] = ()) -> bool:
    """Whether a domain, in lower case, is one of the list or of `more`, or lies below one.

    >>> is_shared("gmail.com"), is_shared("vip.163.com"), is_shared("notgmail.com"), is_shared("com")
    (True, True, False, False)
    """
    while domain:
        if domain in SHARED_DOMAINS or domain in more:
            return True
        domain = domain.partition(".")[2]
    return False
