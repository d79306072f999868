/** People as they are shown and typed. */
import type { Person } from "../jmap/types.ts";

export function nameOf(person: Person): string {
  return person.name?.trim() || person.email;
}

/** A short name for where several stand in a row. */
export function shortName(person: Person): string {
  const name = person.name?.trim();
  if (!name) return person.email.split("@")[0] ?? person.email;
  return /^[\p{Script=Latin}'’.-]+ [\p{Script=Latin}'’. -]+$/u.test(name) ? (name.split(" ")[0] ?? name) : name;
}

/** One or two signs for a circle: the initials, or the family name of a Chinese one. */
export function initialsOf(person: Person): string {
  const name = nameOf(person).replace(/^["'“(（【[]+/, "");
  const words = name.split(/[\s._@-]+/).filter(Boolean);
  const first = [...(words[0] ?? "?")][0] ?? "?";
  if (!/\p{Script=Latin}/u.test(first) || !person.name) return first.toUpperCase();
  const last = words.length > 1 ? ([...(words.at(-1) ?? "")][0] ?? "") : "";
  return (first + last).toUpperCase();
}

/** One of six tints, always the same for an address. */
export function tintOf(person: Person): number {
  let sum = 7;
  for (const sign of person.email.toLowerCase()) sum = (sum * 31 + (sign.codePointAt(0) ?? 0)) >>> 0;
  return (sum % 6) + 1;
}

const ADDRESS = /^[^\s@<>"(),:;[\]\\]+@[^\s@<>"(),:;[\]\\]+$/u;

export interface Parsed {
  readonly people: readonly Person[];
  readonly wrong: readonly string[];
}

/** Read recipients as people type them: commas or semicolons, Chinese ones too, `Name <address>` or the address alone. */
export function parsePeople(typed: string): Parsed {
  const people: Person[] = [];
  const wrong: string[] = [];
  for (const part of splitRecipients(typed)) {
    const match = /^(.*?)\s*[<＜]([^<>＜＞]*)[>＞]$/su.exec(part);
    const email = (match?.[2] ?? part).trim();
    const name = (match?.[1] ?? "")
      .trim()
      .replace(/^"(.*)"$/s, "$1")
      .replace(/\\(.)/g, "$1");
    if (ADDRESS.test(email)) people.push({ name: name || null, email });
    else wrong.push(part);
  }
  return { people, wrong };
}

function splitRecipients(typed: string): string[] {
  const parts: string[] = [];
  let part = "";
  let isQuoted = false;
  let isAddress = false;
  for (const sign of typed) {
    if (sign === '"') isQuoted = !isQuoted;
    if (!isQuoted && (sign === "<" || sign === "＜")) isAddress = true;
    if (sign === ">" || sign === "＞") isAddress = false;
    if (!isQuoted && !isAddress && /[,;，；、\n]/u.test(sign)) {
      parts.push(part);
      part = "";
    } else part += sign;
  }
  return [...parts, part].map((each) => each.trim()).filter(Boolean);
}

/** Write people so that `parsePeople` reads them again. */
export function writePeople(people: readonly Person[] | null | undefined): string {
  return (people ?? [])
    .map(({ name, email }) => {
      if (!name) return email;
      return `${/^[\p{L}\p{N} .'-]+$/u.test(name) ? name : `"${name.replace(/["\\]/g, "\\$&")}"`} <${email}>`;
    })
    .join(", ");
}
