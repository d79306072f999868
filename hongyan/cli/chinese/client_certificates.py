"""What the command line says of client certificates, in Chinese."""

from __future__ import annotations

__all__ = ["CLIENT_CERTIFICATES"]

CLIENT_CERTIFICATES: dict[str, str] = {
    # help
    "Client certificates: by which mail programs log in without a secret that is typed.": (
        "客户端证书：邮件客户端凭它登录，无须输入密码。"
    ),
    "Make a key and its certificate, and write them to two files, this once: PKCS#12 and PEM. With --json nothing is"
    " written: the answer holds both.": (
        "生成密钥及其证书，写入 PKCS#12 和 PEM 两个文件，只此一次。用 --json 时不写文件，两者都在答复中。"
    ),
    "Make a key and its certificate, and write them to two files, this once: PKCS#12 and PEM.": (
        "生成密钥及其证书，写入 PKCS#12 和 PEM 两个文件，只此一次。"
    ),
    "With --json nothing is written: the answer holds both.": "用 --json 时不写文件，两者都在答复中。",
    "How many days it lasts.": "有效多少天。",
    "Directory in which the files are put.": "文件放在哪个目录。",
    "List the client certificates of an account, when each ends, and when it was last used.": (
        "列出账户的客户端证书、各自的到期时间和最近一次使用的时间。"
    ),
    "Revoke client certificates. Connections that were opened with them end.": (
        "吊销客户端证书。用它们登录的连接随即断开。"
    ),
    # answers
    "its password": "其密码",
    "The key is in these files alone: put them where they belong, and remove them here.": (
        "密钥只在这两个文件中：请放到该放的地方，然后从这里删除。"
    ),
    "The account has no client certificate.": "该账户没有客户端证书。",
    "TLS, certificate": "TLS，须证书",
    # errors
    "Name client certificates by their numbers, or say --all.": "请用编号指定客户端证书，或用 --all。",
    "There is no directory {path}.": "没有目录 {path}。",
    "{path} cannot be written: {reason}.": "无法写入 {path}：{reason}。",
    "A certificate lasts between 1 and {number} days.": "证书有效期为 1 至 {number} 天。",
    "The account has as many client certificates as it may have.": "该账户的客户端证书已达上限。",
    "The account has no client certificate of that number.": "该账户没有这个编号的客户端证书。",
    "The client authority {path} cannot be read: {reason}.": "无法读取客户端证书的签发机构 {path}：{reason}。",
    "The client authority {path} may be read by others: chmod 600 {same}.": (
        "客户端证书的签发机构 {path} 可被他人读取：chmod 600 {same}。"
    ),
    "{path} holds no client authority: restore it from a backup.": ("{path} 不是客户端证书的签发机构：请从备份恢复。"),
    # settings
    "Certificates by which mail programs log in.": "邮件客户端登录用的证书。",
    "How long a certificate lasts where nothing is said.": "未指定时证书的有效期。",
    "How long one may last at most.": "证书的最长有效期。",
    "Certificates that an account may have at once.": "一个账户最多有多少证书。",
}
