/**
 * The search box: words and operators become a filter of JMAP (RFC 8621 §4.4.1). Operators have English and Chinese
 * names; `-` before a term denies it; a value in quotes or brackets holds spaces, and `+` joins words that must all be
 * there. What is no operator is a word to look for: nothing that is typed is an error.
 */
export type Condition = Readonly<Record<string, string | number | boolean>>;
export type Filter = Condition | { readonly operator: "AND" | "NOT"; readonly conditions: readonly Filter[] };

const NAMES: Readonly<Record<string, string>> = {
  from: "from",
  发件人: "from",
  to: "to",
  收件人: "to",
  cc: "cc",
  抄送: "cc",
  bcc: "bcc",
  密送: "bcc",
  subject: "subject",
  主题: "subject",
  body: "body",
  正文: "body",
  has: "has",
  包含: "has",
  is: "is",
  状态: "is",
  before: "before",
  早于: "before",
  after: "after",
  晚于: "after",
  larger: "larger",
  大于: "larger",
  smaller: "smaller",
  小于: "smaller",
};

const ATTACHMENT = new Set(["attachment", "attachments", "附件"]);
const STATES: Readonly<Record<string, Condition>> = {
  unread: { notKeyword: "$seen" },
  未读: { notKeyword: "$seen" },
  read: { hasKeyword: "$seen" },
  已读: { hasKeyword: "$seen" },
  starred: { hasKeyword: "$flagged" },
  flagged: { hasKeyword: "$flagged" },
  星标: { hasKeyword: "$flagged" },
  answered: { hasKeyword: "$answered" },
  已回复: { hasKeyword: "$answered" },
  draft: { hasKeyword: "$draft" },
  草稿: { hasKeyword: "$draft" },
};
const UNITS: Readonly<Record<string, number>> = { "": 1, b: 1, k: 1e3, kb: 1e3, m: 1e6, mb: 1e6, g: 1e9, gb: 1e9 };

const TERM = /(-?)(?:([\p{L}]+)[:：])?(?:"([^"]*)"|“([^”]*)”|[(（]([^)）]*)[)）]|(\S+))/gu;

/** Return the filter of what was typed, or null when that is nothing. */
export function parseSearch(typed: string): Filter | null {
  const filters: Filter[] = [];
  for (const match of typed.matchAll(TERM)) {
    const [, minus, name, quoted, curled, grouped, bare] = match;
    const known = name === undefined ? undefined : NAMES[name.toLowerCase()];
    const isPhrase = quoted !== undefined || curled !== undefined;
    const value = quoted ?? curled ?? grouped ?? bare ?? "";
    const text = known === undefined && name !== undefined ? `${name}:${value}` : value;
    if (text.trim() === "" || text === "-") continue;
    const words = isPhrase ? [text] : text.split(grouped === undefined ? /\+/ : /[+\s]+/).filter(Boolean);
    const made = words.map((word) => condition(known ?? "text", word)).filter((one) => one !== null);
    if (made.length === 0) continue;
    const whole = all(made);
    filters.push(minus ? { operator: "NOT", conditions: [whole] } : whole);
  }
  return filters.length === 0 ? null : all(filters);
}

function all(filters: readonly Filter[]): Filter {
  return filters.length === 1 && filters[0] !== undefined ? filters[0] : { operator: "AND", conditions: filters };
}

function condition(name: string, value: string): Condition {
  switch (name) {
    case "has":
      return ATTACHMENT.has(value.toLowerCase()) ? { hasAttachment: true } : { text: value };
    case "is":
      return STATES[value.toLowerCase()] ?? { text: value };
    case "before":
    case "after": {
      const day = parseDay(value);
      return day === null ? { text: value } : { [name]: day };
    }
    case "larger":
    case "smaller": {
      const octets = parseSize(value);
      return octets === null ? { text: value } : { [name === "larger" ? "minSize" : "maxSize"]: octets };
    }
    default:
      return { [name]: value };
  }
}

function parseDay(value: string): string | null {
  const match = /^(\d{4})(?:[-/.年](\d{1,2})(?:[-/.月](\d{1,2})日?|月)?|年)?$/.exec(value);
  if (match === null) return null;
  const [year, month, day] = [Number(match[1]), Number(match[2] ?? 1), Number(match[3] ?? 1)];
  const date = new Date(year, month - 1, day);
  const isReal = date.getFullYear() === year && date.getMonth() === month - 1 && date.getDate() === day;
  return isReal ? date.toISOString().replace(/\.\d+Z$/, "Z") : null;
}

function parseSize(value: string): number | null {
  const match = /^(\d+(?:\.\d+)?)([a-z]*)$/i.exec(value);
  const unit = match === null ? undefined : UNITS[(match[2] ?? "").toLowerCase()];
  return match === null || unit === undefined ? null : Math.round(Number(match[1]) * unit);
}
