/** What is done to conversations: shown at once, then told to the server; taken back when it refuses, or by `undo`. */
import { batch, signal } from "@preact/signals";
import { Unreachable } from "../api/problem.ts";
import { type Key, number, t } from "../i18n/index.ts";
import type { Email, Id, Mailbox, Role, SetResponse } from "../jmap/types.ts";
import { emailSignal, mailboxOf, refresh, requireClient, rows, shownMailbox, threadSignal } from "./store.ts";
import { without } from "./window.ts";

type Patch = Record<string, true | null>;
type Patches = Record<Id, Patch>;

export interface Toast {
  readonly text: string;
  readonly undo?: (() => void) | undefined;
  /** Milliseconds; without, as long as any. */
  readonly lasts?: number;
}

export const toast = signal<Toast | null>(null);
export const selected = signal<ReadonlySet<Id>>(new Set());
/** Row ids (one email stands for its conversation). */

export function emailsOfRow(rowId: Id): Email[] {
  const first = emailSignal(rowId).peek();
  if (first === undefined) return [];
  const all = threadSignal(first.threadId)
    .peek()
    .map((id) => emailSignal(id).peek());
  const known = all.filter((email): email is Email => email !== undefined);
  return known.length > 0 ? known : [first];
}

export const isUnread = (email: Email) => !("$seen" in email.keywords) && !("$draft" in email.keywords);
export const isStarred = (email: Email) => "$flagged" in email.keywords;

export function markRead(rowIds: readonly Id[], read: boolean): void {
  const patches: Patches = {};
  for (const email of rowIds.flatMap(emailsOfRow)) {
    if ("$draft" in email.keywords || "$seen" in email.keywords === read) continue;
    patches[email.id] = { "keywords/$seen": read ? true : null };
  }
  void apply(patches);
}

/** A star is on the newest message of a conversation; taking it away takes it from all. */
export function star(rowIds: readonly Id[], on: boolean): void {
  const patches: Patches = {};
  for (const rowId of rowIds) {
    const all = emailsOfRow(rowId);
    const touched = on ? all.slice(-1) : all.filter(isStarred);
    for (const { id } of touched) patches[id] = { "keywords/$flagged": on ? true : null };
  }
  void apply(patches);
}

export function archive(rowIds: readonly Id[]): void {
  moveToRole(rowIds, "archive", "done.archived");
}

export function junk(rowIds: readonly Id[]): void {
  const isBack = shownMailbox.peek()?.role === "junk";
  const keywords: Patch = isBack
    ? { "keywords/$junk": null, "keywords/$notjunk": true }
    : { "keywords/$junk": true, "keywords/$notjunk": null };
  if (isBack) moveToRole(rowIds, "inbox", "done.notJunk", keywords);
  else moveToRole(rowIds, "junk", "done.junk", keywords);
}

export function remove(rowIds: readonly Id[]): void {
  if (shownMailbox.peek()?.role === "trash") destroy(rowIds);
  else moveToRole(rowIds, "trash", "done.deleted");
}

export function move(rowIds: readonly Id[], target: Mailbox): void {
  const patches = movePatches(rowIds, target.id, {});
  const text = t("done.moved", { count: number(rowIds.length), mailbox: mailboxName(target) });
  void leave(rowIds, patches, text);
}

export function mailboxName(mailbox: Mailbox): string {
  const key = `mailbox.${mailbox.role}`;
  const known: readonly string[] = ["inbox", "drafts", "sent", "archive", "junk", "trash"];
  return mailbox.role !== null && known.includes(mailbox.role) ? t(key as Key) : mailbox.name;
}

function moveToRole(rowIds: readonly Id[], role: Role, told: Key, keywords: Patch = {}): void {
  const target = mailboxOf(role);
  if (target === undefined) {
    toast.value = { text: t("done.noMailbox") };
    return;
  }
  void leave(rowIds, movePatches(rowIds, target.id, keywords), t(told, { count: number(rowIds.length) }));
}

/** A conversation moves with its messages in the mailbox that is shown; of a search, with all but those sent. */
function movePatches(rowIds: readonly Id[], target: Id, keywords: Patch): Patches {
  const from = shownMailbox.peek()?.id;
  const kept = new Set([mailboxOf("sent")?.id, mailboxOf("drafts")?.id]);
  const patches: Patches = {};
  for (const email of rowIds.flatMap(emailsOfRow)) {
    const here = Object.keys(email.mailboxIds);
    const left = from === undefined ? here.filter((id) => !kept.has(id)) : here.filter((id) => id === from);
    if (left.length === 0 || (left.length === 1 && left[0] === target)) continue;
    const patch: Patch = { ...keywords, [`mailboxIds/${target}`]: true };
    for (const id of left) if (id !== target) patch[`mailboxIds/${id}`] = null;
    patches[email.id] = patch;
  }
  return patches;
}

async function leave(rowIds: readonly Id[], patches: Patches, text: string): Promise<void> {
  if (Object.keys(patches).length === 0) return;
  const inverse = inverseOf(patches);
  const before = rows.peek();
  batch(() => {
    if (shownMailbox.peek() !== undefined) rows.value = without(before, new Set(rowIds));
    selected.value = new Set([...selected.peek()].filter((id) => !rowIds.includes(id)));
    toast.value = { text, undo: () => void undo(inverse) };
  });
  if (!(await apply(patches))) rows.value = before;
}

async function undo(inverse: Patches): Promise<void> {
  toast.value = null;
  if (await apply(inverse)) toast.value = { text: t("done.undone") };
  await refresh();
}

async function destroy(rowIds: readonly Id[]): Promise<void> {
  if (!window.confirm(t("ask.destroy"))) return;
  const from = shownMailbox.peek()?.id;
  const gone = rowIds
    .flatMap(emailsOfRow)
    .filter((email) => from !== undefined && from in email.mailboxIds)
    .map(({ id }) => id);
  const before = rows.peek();
  rows.value = without(before, new Set(rowIds));
  const text = t("done.destroyed", { count: number(rowIds.length) });
  if (await tell({ destroy: gone })) toast.value = { text };
  else rows.value = before;
  await refresh();
}

/** Show patches at once and tell the server; when it refuses, what was before comes back. */
export async function apply(patches: Patches): Promise<boolean> {
  if (Object.keys(patches).length === 0) return true;
  const before = new Map(Object.keys(patches).map((id) => [id, emailSignal(id).peek()]));
  batch(() => {
    for (const [id, patch] of Object.entries(patches)) {
      const email = emailSignal(id);
      if (email.peek() !== undefined) email.value = patched(email.peek() as Email, patch);
    }
  });
  if (await tell({ update: patches })) {
    void refresh();
    return true;
  }
  batch(() => {
    for (const [id, email] of before) emailSignal(id).value = email;
  });
  return false;
}

async function tell(given: Record<string, unknown>): Promise<boolean> {
  try {
    const answer = await requireClient().call<SetResponse>("Email/set", given);
    const refused = Object.values({ ...answer.notUpdated, ...answer.notDestroyed })[0];
    if (refused === undefined) return true;
    toast.value = { text: t("done.failed", { reason: refused.description ?? refused.type }) };
  } catch (error) {
    const reason = error instanceof Unreachable ? t("login.unreachable") : String((error as Error).message);
    toast.value = { text: t("done.failed", { reason }) };
  }
  return false;
}

/** RFC 8620 §5.3, as far as the client writes patches. */
export function patched(email: Email, patch: Patch): Email {
  const keywords: Record<string, true> = { ...email.keywords };
  const mailboxIds: Record<string, true> = { ...email.mailboxIds };
  for (const [path, value] of Object.entries(patch)) {
    const [property, name] = path.split("/") as [string, string];
    const set = property === "keywords" ? keywords : mailboxIds;
    if (value === null) delete set[name];
    else set[name] = true;
  }
  return { ...email, keywords, mailboxIds };
}

/** What has to be set so that the emails are as they are now. */
function inverseOf(patches: Patches): Patches {
  const inverse: Patches = {};
  for (const [id, patch] of Object.entries(patches)) {
    const email = emailSignal(id).peek();
    if (email === undefined) continue;
    inverse[id] = Object.fromEntries(
      Object.keys(patch).map((path) => {
        const [property, name] = path.split("/") as [string, string];
        const set = property === "keywords" ? email.keywords : email.mailboxIds;
        return [path, name in set ? (true as const) : null];
      }),
    );
  }
  return inverse;
}
