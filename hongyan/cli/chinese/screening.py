"""Viruses and junk, the text index: help, answers, settings."""

from __future__ import annotations

__all__ = ["SCREENING"]

SCREENING: dict[str, str] = {
    # The text index
    "The index of words that answers searches for text.": "全文索引，用于搜索邮件文字。",
    "Of this account; else of all.": "只针对此账户；省略时针对全部账户。",
    "Tell how much mail is indexed, how much has still to come, and what the index takes.": (
        "查看已索引多少邮件、还有多少未索引，以及索引占用的空间。"
    ),
    "Make the index anew from the mail; searches read messages meanwhile.": (
        "根据邮件重建索引；其间搜索会直接读取邮件。"
    ),
    "indexed": "已索引",
    "read by each search": "每次搜索都读取",
    "still to come": "未索引",
    "Indexing has stopped: {free} are free on the disk; from {needed} on it goes on. Searches read.": (
        "索引已暂停：磁盘剩余 {free}，达到 {needed} 后自动继续。搜索改为读取邮件。"
    ),
    "{count} accounts are indexed anew.": "已为 {count} 个账户重建索引。",
    "There is no text index: it is switched off in [search].": "没有全文索引：它在 [search] 中被关闭。",
    "Keep an index of the words of all mail; without it every search reads the messages.": (
        "为所有邮件建立全文索引；没有索引时，每次搜索都要读取邮件。"
    ),
    "Share of its time that the server gives to indexing while there is something to do.": (
        "有邮件待索引时，服务器用于索引的时间比例。"
    ),
    "How long new mail may wait, so that more of it is indexed together.": "新邮件可等待多久，以便与更多邮件一起索引。",
    "Text index: whole, of {count} accounts; {behind} messages are not in it.": (
        "全文索引：{count} 个账户的索引完好，{behind} 封邮件尚未索引。"
    ),
    "Text index: that of {damaged} of {count} accounts was made anew.": (
        "全文索引：{count} 个账户中有 {damaged} 个的索引已重建。"
    ),
    "Text index: damaged for {damaged} of {count} accounts; searches read.": (
        "全文索引：{count} 个账户中有 {damaged} 个的索引已损坏，搜索改为读取邮件。"
    ),
    # The spam filter
    "The spam filter: what it has learnt, and why.": "反垃圾过滤器：已学到的内容，以及判断的依据。",
    "Tell what the filter has learnt, and from which score on a message is filed in Junk.": (
        "查看过滤器学到了什么，以及多少分起放入垃圾邮件箱。"
    ),
    "Messages, mbox files, or directories of messages.": "邮件文件、mbox 文件，或存放邮件的目录。",
    "What they are: unwanted, or wanted.": "这些邮件是垃圾邮件，还是正常邮件。",
    "Teach the filter, for all accounts: --spam for mail that nobody wants, --ham for mail that is wanted.": (
        "为所有账户训练过滤器：--spam 为垃圾邮件，--ham 为正常邮件。"
    ),
    "Name files, and say --spam or --ham.": "请给出文件，并注明 --spam 或 --ham。",
    "{count} messages learnt.": "已学习 {count} 封邮件。",
    "Forget what an account has taught its own filter.": "清除某账户训练过滤器的全部结果。",
    "Forget what {address} has taught the filter, for good?": "永久清除 {address} 训练过滤器的全部结果吗？",
    "That account has taught the filter nothing.": "该账户没有训练过过滤器。",
    "What {address} had taught the filter is forgotten.": "已清除 {address} 训练过滤器的全部结果。",
    "The message, as a file.": "邮件文件。",
    "For this account; else for the server as a whole.": "针对此账户；省略时针对整个服务器。",
    "Say how a message looks to the filter, and by which words.": "查看过滤器如何看待一封邮件，依据哪些词。",
    "{path} cannot be read: {reason}.": "无法读取 {path}：{reason}。",
    "A message travels as base64.": "邮件须以 base64 传送。",
    "The spam filter is off.": "垃圾邮件过滤器已关闭。",
    "From score {score} on a message is filed in Junk. Nothing is judged before {spam} unwanted and {ham}"
    " wanted messages were learnt.": (
        "{score} 分起放入垃圾邮件箱。学习 {spam} 封垃圾邮件和 {ham} 封正常邮件之前不作判断。"
    ),
    "all": "全部",
    "unwanted": "垃圾邮件",
    "wanted": "正常邮件",
    "Score {score}; but too little was learnt, and nothing is judged.": "{score} 分；但样本太少，不作判断。",
    "Score {score}: the message is filed in Junk.": "{score} 分：放入垃圾邮件箱。",
    "Score {score}: the message is wanted.": "{score} 分：正常邮件。",
    "word": "词",
    "how unwanted": "像垃圾邮件的程度",
    "No word says anything.": "没有可供判断的词。",
    "The statistical filter for unwanted mail.": "针对垃圾邮件的统计过滤器。",
    "Judge mail by what users move into Junk and out of it.": "根据用户移入和移出垃圾邮件箱的邮件来判断。",
    "Score from which a message is filed in Junk: 0 is wanted, 1 is unwanted.": (
        "多少分起放入垃圾邮件箱：0 为正常，1 为垃圾。"
    ),
    "Unwanted messages that must have been learnt before anything is judged.": "学到多少封垃圾邮件后才开始判断。",
    "Wanted messages that must have been learnt before anything is judged.": "学到多少封正常邮件后才开始判断。",
    "Accounts that must have taught the server a word before it counts for others; at most 16.": (
        "一个词须由多少个账户训练过，才对其他账户有效；最多 16。"
    ),
    "Messages a day of one account that teach the server too, and not the account alone.": (
        "一个账户每天最多有多少封邮件同时用于训练整个服务器。"
    ),
    "Accounts whose own tables are kept in memory; each takes 256 KiB.": (
        "内存中保留多少个账户自己的表；每个占 256 KiB。"
    ),
    "What is done with mail after it was delivered.": "投递之后对邮件所做的处理。",
    "Share of its time that the server gives to what is done after delivery; 1 is all that is needed.": (
        "服务器用于投递之后处理的时间比例；1 表示不限。"
    ),
    "How often accounts are looked for whose change nobody told of.": "多久检查一次有变动但未收到通知的账户。",
    # The virus scanner
    "The scanner for viruses.": "病毒扫描器。",
    "Say whether the virus scanner answers, and what is done with what it finds.": (
        "查看病毒扫描器是否应答，以及如何处理它发现的邮件。"
    ),
    "Mail is not scanned for viruses: [virus] clamd names no scanner.": ("未扫描病毒：[virus] clamd 没有指定扫描器。"),
    "{place} answers: {version}": "{place} 应答正常：{version}",
    "{place} does not answer.": "{place} 没有应答。",
    "a message that is …": "邮件",
    "is treated so": "处理方式",
    "infected": "带有病毒",
    "not scanned, for the scanner fails": "扫描器故障，未能扫描",
    "larger than {size}": "大于 {size}",
    "reject": "拒收",
    "quarantine": "隔离",
    "defer": "暂缓接收",
    "accept": "接收",
    "junk": "放入垃圾邮件箱",
    "Scanning mail for viruses.": "扫描邮件中的病毒。",
    "Where ClamAV's clamd listens: the path of its socket, or host:port; empty: mail is not scanned.": (
        "ClamAV 的 clamd 监听位置：套接字路径，或 主机:端口；留空则不扫描邮件。"
    ),
    "What is done with an infected message: refuse it, or hold it in the queue for the operator.": (
        "如何处理带病毒的邮件：拒收，或扣在队列中等待管理员处理。"
    ),
    "What is done when the scanner does not answer: ask the sender to try again, accept, or file in Junk.": (
        "扫描器没有应答时怎么办：请发送方稍后再试、接收，或放入垃圾邮件箱。"
    ),
    "What is done with a message larger than the scanner takes.": "如何处理超过扫描器上限的邮件。",
    "The largest message that is given to the scanner; not above its own StreamMaxLength.": (
        "交给扫描器的邮件的最大大小；不超过扫描器自己的 StreamMaxLength。"
    ),
    "How long a scan may take, with the wait for its turn.": "一次扫描最长多久，包括排队等待。",
    "Scans at the same time; not above the scanner's own MaxThreads.": (
        "同时进行的扫描数；不超过扫描器自己的 MaxThreads。"
    ),
}
