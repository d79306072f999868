"""`python -m bench.spam`: how well the spam filter sorts, and how fast.

Five parts of the mail are judged in turn, each by what the other four teach.

    python -m bench.spam --spam DIR --ham DIR      # mail that was sorted by hand, a message a file
    python -m bench.spam                           # the sample of the SpamAssassin corpus beside the repository

A small synthetic check in Chinese follows; it shows that characters are read, and nothing about real mail.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from hongyan.screening.spam_filter import SpamOptions
from hongyan.screening.spam_model import ALL_VOTERS, OWN_PLACES, SERVER_PLACES, Counts, fold_places, places_of, score
from hongyan.screening.tokens import read_tokens

_SAMPLE = Path(__file__).resolve().parents[2] / "shared" / "testdata" / "spamassassin"
_PARTS = 5
_THRESHOLDS = (0.5, 0.7, 0.8, 0.9, 0.95)
_SEED = 1

_WANTED = (
    "明天下午三点在会议室讨论预算，请准备好报表",
    "附件是修改后的合同草稿，请法务同事审阅",
    "周末一起去爬山吧，老地方集合",
)
_UNWANTED = (
    "代开各类发票，税点优惠，请联系王经理",
    "高薪兼职在家赚钱，日结工资，加微信了解",
    "低价出售贷款名额，无需抵押当天放款",
)
_FILLERS = "东南西北春夏秋冬山水风云天地日月星辰金木石火"


@dataclass(frozen=True, slots=True)
class Message:
    """A message with what it is."""

    tokens: tuple[str, ...]
    is_spam: bool


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.spam", description=__doc__.partition("\n")[0])
    parser.add_argument("--spam", type=Path, help="a directory of unwanted messages")
    parser.add_argument("--ham", type=Path, help="a directory of wanted messages")
    parser.add_argument("--most", type=int, default=2000, help="messages of each kind (default: 2000)")
    options = parser.parse_args(arguments)
    if options.spam and options.ham:
        _measure("your mail", _read(options.ham, options.most), _read(options.spam, options.most))
    elif _SAMPLE.is_dir():
        folders = sorted(_SAMPLE.iterdir())
        ham = [one for folder in folders if "ham" in folder.name for one in _read(folder, options.most)]
        spam = [one for folder in folders if "ham" not in folder.name for one in _read(folder, options.most)]
        _measure("SpamAssassin corpus, a sample", ham, spam)
    else:
        print("no corpus here: name one by --spam and --ham")
    _measure("Chinese, synthetic: no measure of real mail", list(_made(_WANTED)), list(_made(_UNWANTED)))
    return 0


def _read(folder: Path, most: int) -> list[bytes]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    random.Random(_SEED).shuffle(paths)
    return [path.read_bytes() for path in paths[:most]]


def _made(texts: Sequence[str]) -> Iterator[bytes]:
    chance = random.Random(_SEED)
    for number in range(90):
        text = texts[number % len(texts)] + "".join(chance.choices(_FILLERS, k=12))
        header = f"From: a@b.test\r\nSubject: {number}\r\nContent-Type: text/plain; charset=utf-8"
        yield f"{header}\r\n\r\n{text}\r\n".encode()


def _measure(name: str, ham: Sequence[bytes], spam: Sequence[bytes]) -> None:
    began = time.process_time()
    messages = [Message(read_tokens(octets).all, is_spam=False) for octets in ham]
    messages += [Message(read_tokens(octets).all, is_spam=True) for octets in spam]
    reading = time.process_time() - began
    random.Random(_SEED).shuffle(messages)
    scores: list[tuple[float, bool]] = []
    judging = 0.0
    for part in range(_PARTS):
        counts = _taught(chain.from_iterable(messages[other::_PARTS] for other in range(_PARTS) if other != part))
        began = time.process_time()
        scores += [(score(one.tokens, counts, agreement=2).value, one.is_spam) for one in messages[part::_PARTS]]
        judging += time.process_time() - began
    octets = sum(map(len, chain(ham, spam))) / len(messages)
    print(f"\n{name}: {len(ham)} wanted, {len(spam)} unwanted, {octets / 1024:.1f} KiB on average")
    print(
        f"  reading {reading / len(messages) * 1000:.2f} ms, judging {judging / len(messages) * 1000:.2f} ms a message"
    )
    for threshold in _THRESHOLDS:
        _tell(scores, threshold)
    _tell_table(messages)


def _taught(messages: Iterator[Message]) -> Counts:
    counts = Counts(SERVER_PLACES, shared=True, fades_at=50_000)
    for one in messages:
        counts.learn(set(places_of(one.tokens)), is_spam=one.is_spam, voter=ALL_VOTERS)
    return counts


def _tell(scores: Sequence[tuple[float, bool]], threshold: float) -> None:
    caught = sum(is_spam and value >= threshold for value, is_spam in scores)
    wronged = sum(not is_spam and value >= threshold for value, is_spam in scores)
    spam = sum(is_spam for _, is_spam in scores)
    precision = caught / (caught + wronged) if caught + wronged else 1.0
    mark = "*" if threshold == SpamOptions().junk_from else " "
    print(
        f"  {mark} from {threshold:.2f}: recall {caught / spam:6.2%}, precision {precision:7.2%},"
        f" false positives {wronged} of {len(scores) - spam} ({wronged / (len(scores) - spam):.2%})"
    )


def _tell_table(messages: Sequence[Message]) -> None:
    counts = Counts(OWN_PLACES, shared=False, fades_at=4_000)
    for one in messages:
        counts.learn(fold_places(places_of(one.tokens)), is_spam=one.is_spam)
    stored = len(counts.to_octets()) / 1024
    print(
        f"  an account's table that was taught all of it: {counts.used} of {OWN_PLACES} places, {stored:.0f} KiB stored"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
