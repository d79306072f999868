/** Shortcuts, as Gmail and Fastmail have them. They keep silent while an input method composes and in fields. */
import { standing } from "../api/session.ts";
import type { Id } from "../jmap/types.ts";
import {
  archive,
  emailsOfRow,
  isStarred,
  isUnread,
  junk,
  markRead,
  remove,
  selected,
  star,
  toast,
} from "../mail/acts.ts";
import { composeAnswer, composeNew, composing } from "../mail/drafts.ts";
import { go, place } from "../mail/place.ts";
import { emailSignal, rows } from "../mail/store.ts";
import { cursor, toggle } from "./list.tsx";
import { isHelpOpen } from "./overlays.tsx";
import { rowOf } from "./reading.tsx";

const GOES: Readonly<Record<string, string>> = {
  i: "inbox",
  t: "sent",
  d: "drafts",
  a: "archive",
  j: "junk",
  "#": "trash",
};

let isGoing = false;

/** Listen until the function that is returned is called. */
export function followKeys(): () => void {
  document.addEventListener("keydown", onKey);
  return () => document.removeEventListener("keydown", onKey);
}

function onKey(event: KeyboardEvent): void {
  // keyCode 229 is what browsers say that end composing before they tell the key.
  if (event.isComposing || event.keyCode === 229 || event.ctrlKey || event.metaKey || event.altKey) return;
  const target = event.target instanceof HTMLElement ? event.target : null;
  const isField = target?.closest("input, textarea, select, [contenteditable]") != null;
  if (event.key === "Escape" && isField && target?.id === "search") target.blur();
  if (isField || composing.value !== null || isHelpOpen.value || document.querySelector("dialog.look") !== null) return;
  const isButton = target?.closest("button, a") != null;
  if (event.key === "Enter" && isButton) return;
  if (act(event.key)) event.preventDefault();
}

/** Do what a key stands for; false for a key that stands for nothing. */
export function act(key: string): boolean {
  if (isGoing) {
    isGoing = false;
    const mailbox = GOES[key];
    if (mailbox !== undefined) go({ mailbox, search: "", threadId: null });
    return mailbox !== undefined;
  }
  const known = KEYS[key];
  known?.();
  return known !== undefined;
}

/** What the keys act on: what is selected, or what is open, or where the cursor is. */
function targets(): readonly Id[] {
  if (selected.value.size > 0) return [...selected.value];
  const { threadId } = place.value;
  const id = threadId === null ? rows.value.ids[cursor.value] : rowOf(threadId);
  return id === undefined ? [] : [id];
}

function step(by: number): void {
  const next = Math.min(Math.max(cursor.value + by, 0), rows.value.total - 1);
  if (next < 0) return;
  cursor.value = next;
  if (place.value.threadId !== null) open();
}

function open(): void {
  const id = rows.value.ids[cursor.value];
  const email = id === undefined ? undefined : emailSignal(id).value;
  if (email !== undefined) go({ threadId: email.threadId }, place.value.threadId !== null);
}

function back(): void {
  if (place.value.threadId !== null) go({ threadId: null });
  else if (selected.value.size > 0) selected.value = new Set();
}

function leaving(act: (ids: readonly Id[]) => void): () => void {
  return () => {
    act(targets());
    if (place.value.threadId !== null) go({ threadId: null }, true);
  };
}

function answer(kind: "reply" | "all" | "forward"): () => void {
  return () => {
    const newest = targets().flatMap(emailsOfRow).at(-1);
    if (newest !== undefined && standing.value.at === "inside")
      void composeAnswer(newest, kind, standing.value.session.address);
  };
}

function flip(is: (email: Parameters<typeof isUnread>[0]) => boolean, set: (ids: readonly Id[], on: boolean) => void) {
  return () => set(targets(), !targets().flatMap(emailsOfRow).some(is));
}

const KEYS: Readonly<Record<string, () => void>> = {
  j: () => step(1),
  k: () => step(-1),
  ArrowDown: () => step(1),
  ArrowUp: () => step(-1),
  o: open,
  Enter: open,
  u: back,
  Escape: back,
  x: () => {
    const id = rows.value.ids[cursor.value];
    if (id !== undefined) toggle(id);
  },
  e: leaving(archive),
  y: leaving(archive),
  "#": leaving(remove),
  Delete: leaving(remove),
  "!": leaving(junk),
  s: flip(isStarred, star),
  m: () => markRead(targets(), targets().flatMap(emailsOfRow).some(isUnread)),
  v: () => document.querySelector<HTMLElement>(".reading .move-button, .selection .move-button")?.click(),
  z: () => toast.value?.undo?.(),
  c: composeNew,
  r: answer("reply"),
  a: answer("all"),
  f: answer("forward"),
  "/": () => document.getElementById("search")?.focus(),
  "?": () => {
    isHelpOpen.value = true;
  },
  g: () => {
    isGoing = true;
  },
};
