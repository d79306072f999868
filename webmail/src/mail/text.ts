/** Plain text as it is shown: links can be followed, and what is quoted at its end is folded. */
import DOMPurify from "dompurify";

export interface Piece {
  readonly text: string;
  readonly href: string | null;
}

const LINK = /\bhttps?:\/\/[^\s<>"'（）()【】《》「」，。；！？、]+/gu;

/** Cut a text at its links; only http and https are links. */
export function pieces(text: string): Piece[] {
  const cut: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(LINK)) {
    const address = match[0].replace(/[.,;:!?*_]+$/u, "");
    if (match.index > from) cut.push({ text: text.slice(from, match.index), href: null });
    cut.push({ text: address, href: address });
    from = match.index + address.length;
  }
  if (from < text.length) cut.push({ text: text.slice(from), href: null });
  return cut;
}

/** Part what was written from what is quoted below it, with the line that introduces the quotation. */
export function splitQuote(text: string): { own: string; quoted: string } {
  const lines = text.split("\n");
  let at = lines.length;
  while (at > 0 && /^(>|\s*$)/.test(lines[at - 1] ?? "")) at -= 1;
  const quotes = lines.slice(at).filter((line) => line.startsWith(">")).length;
  if (quotes < 3) return { own: text, quoted: "" };
  while (at > 0 && /(wrote|写道|写到)\s*[:：]\s*$/i.test(lines[at - 1] ?? "")) at -= 1;
  const own = lines.slice(0, at).join("\n").trimEnd();
  return own ? { own, quoted: lines.slice(at).join("\n").trim() } : { own: text, quoted: "" };
}

const BLOCKS = new Set([
  "ADDRESS",
  "BLOCKQUOTE",
  "DIV",
  "H1",
  "H2",
  "H3",
  "H4",
  "H5",
  "H6",
  "LI",
  "OL",
  "P",
  "PRE",
  "TABLE",
  "UL",
]);

/** The words of HTML, as they are quoted in an answer of plain text. */
export function textOfHtml(html: string): string {
  const root = DOMPurify.sanitize(html, { RETURN_DOM_FRAGMENT: true, FORBID_TAGS: ["style", "title"] });
  return wordsOf(root)
    .replace(/[ \t]+\n/g, "\n")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
}

function wordsOf(node: Node): string {
  if (node.nodeType === Node.TEXT_NODE) return (node.textContent ?? "").replace(/\s+/g, " ");
  if (node.nodeName === "BR") return "\n";
  const inner = [...node.childNodes].map(wordsOf).join("");
  if (node.nodeName === "TD" || node.nodeName === "TH") return `${inner.trim()} `;
  if (node.nodeName === "LI") return `\n- ${inner.trim()}`;
  if (node.nodeName === "TR") return `\n${inner.trim()}`;
  if (/^T(BODY|HEAD|FOOT)$/.test(node.nodeName)) return inner.replace(/\s*\n\s*/g, "\n");
  if (node.nodeName === "P") return `\n\n${inner.trim()}\n\n`;
  return BLOCKS.has(node.nodeName) ? `\n${inner.trim()}\n` : inner;
}
