"""What the made mail says: English and Chinese words, people, paragraphs in the encodings that mail uses."""

# ruff: noqa: SIM905 - vocabularies are read as words

from __future__ import annotations

__all__ = [
    "CHINESE_PAIR",
    "CHINESE_WORD",
    "DOMAIN",
    "FIRST_HOST",
    "SUBJECT_WORD",
    "Vocabulary",
    "base64_lines",
    "encoded_word",
    "internal_date",
    "message_date",
]

import base64
import quopri
import random
import time

DOMAIN = "bench.example.org"
SUBJECT_WORD = "zeppelin"  # in the subject of about 1 English thread in 200, and nowhere else
CHINESE_WORD = "季度报告"  # in each Chinese subject, which always travels encoded

CHINESE_PAIR = "合同"  # in some Chinese bodies
FIRST_HOST = f"mx0.{DOMAIN}"  # in a Received field of every ninth message

_WORDS = """
the of and to in for with on that this from your account project meeting schedule please review attached document
invoice payment customer order delivery server update release version issue request change team budget quarter report
sales market design product launch testing deploy database network security password policy training travel hotel
flight conference agenda minutes action items deadline milestone contract legal finance research development
engineering support ticket feedback survey results analysis summary proposal draft final approval signature thanks
regards tomorrow today yesterday monday tuesday wednesday thursday friday week month year question answer discussion
comment suggestion idea plan goal performance improvement process quality service level agreement renewal
""".split()
_CHINESE_WORDS = """
项目 会议 安排 请查收 附件 文档 发票 付款 客户 订单 发货 服务器 更新 发布 版本 问题 请求 变更
团队 预算 季度 报告 销售 市场 设计 产品 测试 部署 数据库 网络 安全 密码 政策 培训 出差 酒店 航班 议程 纪要 截止日期 合同
财务 研究 开发 支持 反馈 结果
""".split()
_FIRST_NAMES = """
Alice Bob Carol David Erin Frank Grace Heidi Ivan Judy Mallory Niaj Olivia Peggy Rupert Sybil Trent Victor Walter Yvonne
""".split()
_LAST_NAMES = """
Anderson Brown Clark Davis Evans Foster Garcia Harris Ito Johnson Kim Lopez Miller Novak Olsen Park Quinn Rossi Smith
Tanaka
""".split()
_CHINESE_NAMES = "王伟 李娜 张敏 刘洋 陈静 杨帆 赵磊 黄丽 周强 吴芳 徐鹏 孙悦".split()
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_DAYS = "Mon Tue Wed Thu Fri Sat Sun".split()
_ZONES = (("+0000", 0), ("+0800", 28800), ("-0500", -18000), ("+0100", 3600))

_PEOPLE = 400
_LINE = 70


class Vocabulary:
    """Paragraphs and people to put messages together from; pools, so that 100,000 messages are made in seconds."""

    def __init__(self, seed: int) -> None:
        chance = random.Random(f"vocabulary-{seed}")
        self.paragraphs = [_wrap(chance.choices(_WORDS, k=chance.randint(30, 90))) for _ in range(400)]
        self.accented = [_quoted_printable(f"{text} — „Grüße“ café") for text in self.paragraphs[:200]]
        self.chinese = [
            "，".join(chance.choices(_CHINESE_WORDS, k=chance.randint(15, 60))) + "。\r\n" for _ in range(200)
        ]
        self.attachments = [base64_lines(chance.randbytes(chance.randint(600, 4500))) for _ in range(80)]
        self.filling = base64_lines(chance.randbytes(72_000))
        self.people = [_person(number) for number in range(_PEOPLE)]

    def person(self, number: int) -> tuple[str, str]:
        """Return somebody's display name, as it stands in a header, and address."""
        return self.people[number % _PEOPLE]

    @staticmethod
    def subject(chance: random.Random) -> str:
        return " ".join(chance.choices(_WORDS, k=chance.randint(3, 8))).capitalize()

    @staticmethod
    def chinese_subject(chance: random.Random) -> str:
        return f"{CHINESE_WORD}：{''.join(chance.choices(_CHINESE_WORDS, k=4))}"


def encoded_word(text: str) -> str:
    """RFC 2047 §2."""
    return f"=?utf-8?B?{base64.b64encode(text.encode()).decode()}?="


def base64_lines(octets: bytes) -> str:
    return base64.encodebytes(octets).decode().replace("\n", "\r\n")


def message_date(timestamp: int, zone: int = 0) -> str:
    """The date of a Date field, in one of the zones."""
    name, offset = _ZONES[zone % len(_ZONES)]
    at = time.gmtime(timestamp + offset)
    day, month = _DAYS[at.tm_wday], _MONTHS[at.tm_mon - 1]
    return f"{day}, {at.tm_mday:02d} {month} {at.tm_year} {at.tm_hour:02d}:{at.tm_min:02d}:{at.tm_sec:02d} {name}"


def internal_date(timestamp: int) -> bytes:
    """The date-time of APPEND, with its quotes."""
    at = time.gmtime(timestamp)
    clock = f"{at.tm_hour:02d}:{at.tm_min:02d}:{at.tm_sec:02d}"
    return f'"{at.tm_mday:2d}-{_MONTHS[at.tm_mon - 1]}-{at.tm_year} {clock} +0000"'.encode()


def _person(number: int) -> tuple[str, str]:
    if number % 4 == 3:
        name = encoded_word(_CHINESE_NAMES[number % len(_CHINESE_NAMES)])
    else:
        name = f"{_FIRST_NAMES[number % 20]} {_LAST_NAMES[(number // 20) % 20]}"
    return name, f"person{number:03d}@{DOMAIN}"


def _wrap(words: list[str]) -> str:
    lines, line = [], ""
    for word in words:
        if len(line) + len(word) > _LINE:
            lines.append(line.rstrip())
            line = ""
        line += f"{word} "
    return "\r\n".join([*lines, f"{line.rstrip()}."]) + "\r\n"


def _quoted_printable(text: str) -> str:
    lines = text.replace("\r\n", "\n").encode()
    return quopri.encodestring(lines).decode().replace("\n", "\r\n")
