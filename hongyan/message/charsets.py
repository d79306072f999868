"""Octets to text by the charset that a message names, or by the one that it probably means.

Names follow what mail programs mean, not what the registry says: GB2312 and GBK are read as
GB18030, ISO-8859-1 as windows-1252, KS C 5601 as cp949. Only the codecs listed here are ever
used: some of Python's are not charsets, and some are slow on purpose-made input.
"""

from __future__ import annotations

__all__ = ["decode_text", "find_codec", "guess_text"]

import re
from functools import lru_cache

_SAME = """
    ascii utf_8 utf_16 utf_16_be utf_16_le utf_32 utf_32_be utf_32_le utf_7 gb18030 hz big5hkscs
    euc_jp iso2022_jp_ext iso2022_kr johab koi8_r koi8_u koi8_t kz1048 mac_roman mac_cyrillic mac_greek mac_latin2
    mac_turkish mac_iceland ptcp154 shift_jis_2004 euc_jis_2004
    cp437 cp737 cp775 cp850 cp852 cp855 cp857 cp858 cp860 cp861 cp862 cp863 cp864 cp865 cp866 cp869 cp874 cp932 cp949
    cp1125 cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256 cp1257 cp1258
    iso8859_2 iso8859_3 iso8859_4 iso8859_5 iso8859_6 iso8859_7 iso8859_8 iso8859_10 iso8859_13 iso8859_14 iso8859_15
    iso8859_16
"""
_ALIASES = """
    us_ascii=ascii ansi_x3.4_1968=ascii iso646_us=ascii utf8=utf_8 unicode_1_1_utf_7=utf_7 utf7=utf_7
    unicode_1_1_utf_8=utf_8 utf_8_sig=utf_8 ucs_2=utf_16 utf16=utf_16 utf16be=utf_16_be utf16le=utf_16_le
    utf_16be=utf_16_be utf_16le=utf_16_le utf_32be=utf_32_be utf_32le=utf_32_le
    gb2312=gb18030 gb_2312=gb18030 gb_2312_80=gb18030 csgb2312=gb18030 euc_cn=gb18030 euccn=gb18030 gbk=gb18030
    x_gbk=gb18030 cp936=gb18030 ms936=gb18030 windows_936=gb18030 chinese=gb18030
    gb18030_2000=gb18030 gb18030_2022=gb18030
    hz_gb_2312=hz big5=big5hkscs big_5=big5hkscs cn_big5=big5hkscs x_x_big5=big5hkscs csbig5=big5hkscs cp950=big5hkscs
    big5_hkscs=big5hkscs big5hk=big5hkscs
    shift_jis=cp932 shiftjis=cp932 sjis=cp932 x_sjis=cp932 ms_kanji=cp932 csshiftjis=cp932 windows_31j=cp932 ms932=cp932
    eucjp=euc_jp x_euc_jp=euc_jp iso_2022_jp=iso2022_jp_ext iso_2022_jp_1=iso2022_jp_ext iso_2022_jp_2=iso2022_jp_ext
    csiso2022jp=iso2022_jp_ext iso_2022_jp_ms=iso2022_jp_ext cp50220=iso2022_jp_ext cp50221=iso2022_jp_ext
    euc_kr=cp949 euckr=cp949 ks_c_5601_1987=cp949 ks_c_5601_1989=cp949 ks_c_5601=cp949 ksc5601=cp949 ksc_5601=cp949
    korean=cp949 windows_949=cp949 uhc=cp949 iso_2022_kr=iso2022_kr
    iso_8859_1=cp1252 iso8859_1=cp1252 iso88591=cp1252 latin1=cp1252 latin_1=cp1252 l1=cp1252 cp819=cp1252
    windows_1252=cp1252 ansi=cp1252 iso_8859_1_windows_3.1_latin_1=cp1252
    iso_8859_9=cp1254 iso8859_9=cp1254 latin5=cp1254 iso_8859_11=cp874 iso8859_11=cp874 tis_620=cp874 tis620=cp874
    windows_874=cp874 latin2=iso8859_2 latin3=iso8859_3 latin4=iso8859_4 latin6=iso8859_10 latin9=iso8859_15
    iso_8859_8_i=iso8859_8 iso_8859_8_e=iso8859_8 iso_8859_6_i=iso8859_6 iso_8859_6_e=iso8859_6
    logical=iso8859_8 visual=iso8859_8 arabic=iso8859_6 greek=iso8859_7 hebrew=iso8859_8 cyrillic=iso8859_5
    koi8=koi8_r koi=koi8_r koi8_ru=koi8_u cskoi8r=koi8_r ibm866=cp866 866=cp866 macintosh=mac_roman mac=mac_roman
    x_mac_roman=mac_roman x_mac_cyrillic=mac_cyrillic x_mac_ukrainian=mac_cyrillic dos_866=cp866
"""


def _codecs() -> dict[str, str]:
    codecs = {name: name for name in _SAME.split()}
    codecs |= {name.replace("iso8859_", "iso_8859_"): name for name in codecs if name.startswith("iso8859_")}
    for number in re.findall(r"\bcp(\d+)", _SAME):
        for spelling in ("windows_", "win_", "x_cp", "ibm", "ibm_", "cp_", "win"):
            codecs.setdefault(spelling + number, "cp" + number)
    codecs |= dict(pair.split("=") for pair in _ALIASES.split())
    return codecs


_CODECS = _codecs()
_SEPARATORS = re.compile(r"[-_ :()]+")
_LONGEST_CHARACTER = 4
_GB2312_PAIRS = re.compile(rb"[\x00-\x7f]*+(?:[\xa1-\xa9\xb0-\xf7][\xa1-\xfe][\x00-\x7f]*+)*")


@lru_cache(maxsize=256)
def find_codec(charset: str) -> str | None:
    """Return the name of the codec for a charset as messages spell it, or None for one we do not know."""
    if len(charset) > 64:
        return None
    return _CODECS.get(_SEPARATORS.sub("_", charset.strip().strip("'\"").lower()))


def guess_text(octets: bytes, hint: str = "") -> str:
    """Decode octets that name no charset: UTF-8, else `hint`, else GB2312 if all pairs are, else windows-1252."""
    try:
        return octets.decode()
    except UnicodeDecodeError:
        pass
    codec = find_codec(hint) if hint else None
    if codec is not None and codec not in ("ascii", "utf_8"):
        return _decode_all(octets, codec)
    return _guess_legacy(octets)


def decode_text(octets: bytes, charset: str, *, cut: bool = False) -> str:
    """Decode octets by the charset they are said to have. What does not fit becomes U+FFFD, never an error.

    ASCII and UTF-8 are believed only as long as they fit: a wrong label is more common than a broken octet.
    `cut` says that the octets are a beginning, which may end within a character.
    """
    codec = find_codec(charset) if charset else None
    if cut:
        octets = _drop_half_character(octets, codec or "utf_8")
    if codec is None or codec == "ascii":
        return octets.decode("ascii") if octets.isascii() else guess_text(octets)
    try:
        return _decode_all(octets, codec) if codec == "utf_7" else octets.decode(codec)
    except UnicodeError:
        pass
    if codec != "utf_8":
        try:
            return octets.decode()
        except UnicodeDecodeError:
            return _decode_all(octets, codec)
    text = octets.decode(errors="replace")
    broken = text.count("\ufffd")
    sound = len(text) - broken - sum(map(str.isascii, text))
    return text if broken <= sound else _guess_legacy(octets)


def _guess_legacy(octets: bytes) -> str:
    # Text in GB2312 has its high octets in pairs; in an accented Latin word one stands alone.
    return octets.decode("gb18030" if _GB2312_PAIRS.fullmatch(octets) else "cp1252", "replace")


def _drop_half_character(octets: bytes, codec: str) -> bytes:
    try:
        octets.decode(codec)
    except UnicodeDecodeError as fault:
        return octets[: fault.start] if len(octets) - fault.start < _LONGEST_CHARACTER else octets
    return octets


def _decode_all(octets: bytes, codec: str) -> str:
    """Decode with U+FFFD for what does not fit, and for the halves of characters that UTF-7 can spell."""
    return octets.decode(codec, "replace").encode("utf-8", "replace").decode()
