/**
 * What is known of the account: mailboxes, threads, emails, and the rows of the view that is shown. Each email is a signal
 * of its own, so that a star renders one row anew. Everything here is a copy: the server's word replaces it.
 */
import { batch, computed, type Signal, signal } from "@preact/signals";
import { sessionEnded } from "../api/session.ts";
import { type Client, openClient } from "../jmap/client.ts";
import { isConnected, listen } from "../jmap/push.ts";
import {
  type ChangesResponse,
  DETAIL_PROPERTIES,
  type Email,
  type EmailDetails,
  type GetResponse,
  type Id,
  type Identity,
  MAIL,
  type Mailbox,
  type QueryResponse,
  ROW_PROPERTIES,
  type Role,
  SUBMISSION,
} from "../jmap/types.ts";
import { type Filter, parseSearch } from "./search.ts";
import { missingWindows, NO_ROWS, type QueryChanges, type Rows, WINDOW, withChanges, withPage } from "./window.ts";

/** Which conversations are listed: those of a mailbox, or those that a search finds. */
export interface View {
  readonly mailboxId: Id | null;
  readonly search: string;
}

export const mailboxes = signal<readonly Mailbox[]>([]);
export const identities = signal<readonly Identity[]>([]);
export const view = signal<View>({ mailboxId: null, search: "" });
export const rows = signal<Rows>(NO_ROWS);
export const isListing = signal(true);
export const failure = signal<unknown>(null);

const emails = new Map<Id, Signal<Email | undefined>>();
const threads = new Map<Id, Signal<readonly Id[]>>();
const details = new Map<Id, Promise<EmailDetails>>();
const asked = new Set<number>();

let client: Client | undefined;
let emailState = "";
let mailboxState = "";
let stopListening: (() => void) | undefined;
let isRefreshing = false;
let isStale = false;

export const roles = computed(() => {
  const found = new Map<string, Mailbox>();
  for (const mailbox of mailboxes.value) if (mailbox.role !== null) found.set(mailbox.role, mailbox);
  return found;
});

export const shownMailbox = computed(() => mailboxes.value.find(({ id }) => id === view.value.mailboxId));

export function mailboxOf(role: Role): Mailbox | undefined {
  return roles.value.get(role);
}

export function emailSignal(id: Id): Signal<Email | undefined> {
  return entry(emails, id, undefined);
}

export function threadSignal(id: Id): Signal<readonly Id[]> {
  return entry(threads, id, []);
}

export function requireClient(): Client {
  if (client === undefined) throw new Error("nobody is logged in");
  return client;
}

export function canSend(): boolean {
  return client?.using.includes(SUBMISSION) ?? false;
}

/** Open the account: the session object, the mailboxes, and from then on what changes. */
export async function openMail(): Promise<void> {
  closeMail();
  failure.value = null;
  try {
    client = await openClient([MAIL, SUBMISSION], sessionEnded);
    const first = client.batch();
    const boxes = first.add<GetResponse<Mailbox>>("Mailbox/get", { ids: null });
    const own = canSend() ? first.add<GetResponse<Identity>>("Identity/get", { ids: null }) : undefined;
    await first.send();
    const got = await boxes.answer;
    mailboxState = got.state;
    mailboxes.value = got.list;
    identities.value = (await own?.answer.catch(() => undefined))?.list ?? [];
    stopListening = listen(client, () => void refresh());
  } catch (error) {
    failure.value = error;
    throw error;
  }
}

export function closeMail(): void {
  stopListening?.();
  stopListening = undefined;
  client = undefined;
  for (const cache of [emails, threads, details]) cache.clear();
  batch(() => {
    mailboxes.value = [];
    rows.value = NO_ROWS;
  });
}

/** Show another mailbox or search. */
export async function show(next: View): Promise<void> {
  asked.clear();
  batch(() => {
    view.value = next;
    rows.value = NO_ROWS;
    isListing.value = true;
  });
  await fetchWindow(0);
}

/** See to it that the rows within sight are there. */
export function need(first: number, last: number): void {
  for (const start of missingWindows(rows.value, first, last)) if (!asked.has(start)) void fetchWindow(start);
}

function queryOf({ mailboxId, search }: View) {
  const filter: Filter | null = search ? parseSearch(search) : mailboxId === null ? null : { inMailbox: mailboxId };
  return { filter, sort: [{ property: "receivedAt", isAscending: false }], collapseThreads: true };
}

/** Fetch a window of rows with all that they show, in one request (RFC 8620 §3.7, RFC 8621 §4.10). */
async function fetchWindow(start: number): Promise<void> {
  const of = view.value;
  asked.add(start);
  try {
    const request = requireClient().batch();
    const query = request.add<QueryResponse>("Email/query", {
      ...queryOf(of),
      position: start,
      limit: WINDOW,
      calculateTotal: true,
    });
    const firsts = request.add<GetResponse<Email>>("Email/get", { "#ids": query.at("/ids"), properties: ["threadId"] });
    const whole = request.add<GetResponse<{ id: Id; emailIds: readonly Id[] }>>("Thread/get", {
      "#ids": firsts.at("/list/*/threadId"),
    });
    const found = request.add<GetResponse<Email>>("Email/get", {
      "#ids": whole.at("/list/*/emailIds"),
      properties: ROW_PROPERTIES,
    });
    await request.send();
    const page = await query.answer;
    takeEmails(await found.answer);
    for (const { id, emailIds } of (await whole.answer).list) threadSignal(id).value = emailIds;
    if (view.value !== of) return;
    const kept = page.queryState === rows.value.queryState || rows.value.queryState === "";
    if (!kept) asked.clear();
    rows.value = withPage(rows.value, page);
    isConnected.value = true;
    failure.value = null;
  } catch (error) {
    isConnected.value = false;
    if (view.value === of && rows.value === NO_ROWS) failure.value = error;
    throw error;
  } finally {
    asked.delete(start);
    if (view.value === of) isListing.value = false;
  }
}

function takeEmails(got: GetResponse<Email>): void {
  if (emailState === "") emailState = got.state;
  batch(() => {
    for (const email of got.list) {
      const known = emailSignal(email.id);
      if (JSON.stringify(known.peek()) !== JSON.stringify(email)) known.value = email;
    }
  });
}

/** Something may have changed: ask what, in proportion to the change (RFC 8620 §5.2). One asks at a time. */
export async function refresh(): Promise<void> {
  if (isRefreshing) {
    isStale = true;
    return;
  }
  isRefreshing = true;
  try {
    do {
      isStale = false;
      await refreshOnce();
    } while (isStale);
    isConnected.value = true;
  } catch {
    isConnected.value = false;
  } finally {
    isRefreshing = false;
  }
}

async function refreshOnce(): Promise<void> {
  const of = view.value;
  const request = requireClient().batch();
  const boxes = request.add<GetResponse<Mailbox>>("Mailbox/get", { ids: null });
  const changes = emailState
    ? request.add<ChangesResponse>("Email/changes", { sinceState: emailState, maxChanges: 500 })
    : undefined;
  await request.send();
  const got = await boxes.answer;
  if (got.state !== mailboxState || JSON.stringify(got.list) !== JSON.stringify(mailboxes.value)) {
    mailboxState = got.state;
    mailboxes.value = got.list;
  }
  const told = await changes?.answer.catch(() => undefined);
  if (told === undefined) {
    emailState = ""; // The server cannot tell what changed: the view is asked for anew.
    await fetchWindow(0);
    return;
  }
  const { created, updated, destroyed } = told;
  if (created.length + updated.length + destroyed.length > 0) {
    await fetchAgain(updated.filter((id) => emails.has(id)));
    for (const id of destroyed) emailSignal(id).value = undefined;
    if (view.value === of) await updateRows(of);
  }
  emailState = told.newState;
  if (told.hasMoreChanges) isStale = true;
}

async function fetchAgain(ids: readonly Id[]): Promise<void> {
  if (ids.length === 0) return;
  takeEmails(await requireClient().call<GetResponse<Email>>("Email/get", { ids, properties: ROW_PROPERTIES }));
}

/** Bring the rows up to date: by the difference where the server can tell it, else by the first window. */
async function updateRows(of: View): Promise<void> {
  const { queryState, canCalculateChanges } = rows.value;
  if (canCalculateChanges && queryState) {
    const changes = await requireClient()
      .call<QueryChanges>("Email/queryChanges", { ...queryOf(of), sinceQueryState: queryState, calculateTotal: true })
      .catch(() => undefined);
    if (changes !== undefined && view.value === of) {
      const unknown = changes.added.filter(({ id }) => emailSignal(id).peek() === undefined).map(({ id }) => id);
      await loadThreads(unknown);
      rows.value = withChanges(rows.value, changes);
      return;
    }
  }
  await fetchWindow(0);
}

async function loadThreads(ids: readonly Id[]): Promise<void> {
  if (ids.length === 0) return;
  const request = requireClient().batch();
  const firsts = request.add<GetResponse<Email>>("Email/get", { ids, properties: ["threadId"] });
  const whole = request.add<GetResponse<{ id: Id; emailIds: readonly Id[] }>>("Thread/get", {
    "#ids": firsts.at("/list/*/threadId"),
  });
  const found = request.add<GetResponse<Email>>("Email/get", {
    "#ids": whole.at("/list/*/emailIds"),
    properties: ROW_PROPERTIES,
  });
  await request.send();
  takeEmails(await found.answer);
  for (const { id, emailIds } of (await whole.answer).list) threadSignal(id).value = emailIds;
}

/** Fetch a conversation that is opened by its address. */
export async function loadThread(threadId: Id): Promise<void> {
  const request = requireClient().batch();
  const whole = request.add<GetResponse<{ id: Id; emailIds: readonly Id[] }>>("Thread/get", { ids: [threadId] });
  const found = request.add<GetResponse<Email>>("Email/get", {
    "#ids": whole.at("/list/*/emailIds"),
    properties: ROW_PROPERTIES,
  });
  await request.send();
  takeEmails(await found.answer);
  threadSignal(threadId).value = (await whole.answer).list[0]?.emailIds ?? [];
}

const MOST_TEXT = 512 * 1024; // octets of one message's text; beyond that its end is not shown

/** Return what the reading pane shows of a message; a message never changes, so it is fetched once. */
export function loadDetails(id: Id): Promise<EmailDetails> {
  const known = details.get(id);
  if (known !== undefined) return known;
  const wanted = requireClient()
    .call<GetResponse<EmailDetails>>("Email/get", {
      ids: [id],
      properties: DETAIL_PROPERTIES,
      fetchTextBodyValues: true,
      maxBodyValueBytes: MOST_TEXT,
    })
    .then(({ list }) => {
      if (list[0] === undefined) throw new Error("gone");
      return list[0];
    });
  details.set(id, wanted);
  wanted.catch(() => details.delete(id));
  return wanted;
}

function entry<Value>(map: Map<Id, Signal<Value>>, id: Id, initial: Value): Signal<Value> {
  const known = map.get(id);
  if (known !== undefined) return known;
  const made = signal(initial);
  map.set(id, made);
  return made;
}
