/** Words in the reader's language. Whoever reads `t` while rendering is rendered anew when the language changes. */
import { computed, signal } from "@preact/signals";
import { en, type Key } from "./en.ts";
import { zh } from "./zh.ts";

export type { Key } from "./en.ts";
export type Language = "zh-CN" | "en";

export const LANGUAGES: readonly { id: Language; name: string }[] = [
  { id: "zh-CN", name: "简体中文" },
  { id: "en", name: "English" },
];

const STORED = "hongyan.language";
const catalogues: Record<Language, Record<Key, string>> = { "zh-CN": zh, en };

export const language = signal<Language>(chosenLanguage());

/** Return a sentence, its places in braces filled. */
export function t(key: Key, values: Readonly<Record<string, string | number>> = {}): string {
  return fill(catalogues[language.value][key], values);
}

export function setLanguage(next: Language): void {
  language.value = next;
  try {
    localStorage.setItem(STORED, next);
  } catch {
    // A browser that keeps nothing still speaks the language until it is closed.
  }
}

export function fill(sentence: string, values: Readonly<Record<string, string | number>>): string {
  return sentence.replace(/\{(\w+)\}/g, (place, name: string) => String(values[name] ?? place));
}

function chosenLanguage(): Language {
  try {
    const stored = localStorage.getItem(STORED);
    if (stored === "zh-CN" || stored === "en") return stored;
  } catch {
    // Nothing is kept: the browser's own language counts.
  }
  const wanted = typeof navigator === "undefined" ? [] : navigator.languages;
  const first = wanted.find((tag) => /^(zh|en)\b/i.test(tag));
  return first === undefined || /^zh/i.test(first) ? "zh-CN" : "en";
}

const formats = computed(() => {
  const locale = language.value;
  return {
    time: new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }),
    day: new Intl.DateTimeFormat(locale, { month: "short", day: "numeric" }),
    date: new Intl.DateTimeFormat(locale, { year: "numeric", month: "numeric", day: "numeric" }),
    whole: new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "short" }),
    middle: new Intl.DateTimeFormat(locale, {
      year: "numeric",
      month: "short",
      day: "numeric",
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    }),
    number: new Intl.NumberFormat(locale),
  };
});

/** A date as a list shows it: the time today, the day this year, the date before. */
export function shortDate(iso: string, now: Date = new Date()): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return "";
  const { time, day, date: full } = formats.value;
  if (date.toDateString() === now.toDateString()) return time.format(date);
  return (date.getFullYear() === now.getFullYear() ? day : full).format(date);
}

export function middleDate(iso: string): string {
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? "" : formats.value.middle.format(date);
}

export function wholeDate(iso: string): string {
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? "" : formats.value.whole.format(date);
}

export function number(value: number): string {
  return formats.value.number.format(value);
}

/** A size in octets as people say it. */
export function size(octets: number): string {
  if (octets < 1000) return t("size.bytes", { count: octets });
  if (octets < 999_500) return t("size.kilobytes", { count: number(Math.round(octets / 1000)) });
  return t("size.megabytes", { count: number(Math.round(octets / 100_000) / 10) });
}
