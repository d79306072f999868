/** Where the reader is: the address of the page, read and written. */
import { signal } from "@preact/signals";

export interface Place {
  /** The mailbox: its role, or its id. */
  readonly mailbox: string;
  readonly search: string;
  readonly threadId: string | null;
}

export const place = signal<Place>(
  readPlace(typeof location === "undefined" ? "/" : location.pathname + location.search),
);

/** `/mail/inbox/T1`, `/search/T1?q=geese`. */
export function readPlace(address: string): Place {
  const url = new URL(address, "http://localhost");
  const [page, ...rest] = url.pathname.split("/").filter(Boolean).map(safeDecode);
  if (page === "search")
    return { mailbox: "inbox", search: url.searchParams.get("q") ?? "", threadId: rest[0] ?? null };
  if (page === "mail") return { mailbox: rest[0] ?? "inbox", search: "", threadId: rest[1] ?? null };
  return { mailbox: "inbox", search: "", threadId: null };
}

export function writePlace({ mailbox, search, threadId }: Place): string {
  const thread = threadId === null ? "" : `/${encodeURIComponent(threadId)}`;
  if (search) return `/search${thread}?q=${encodeURIComponent(search)}`;
  return `/mail/${encodeURIComponent(mailbox)}${thread}`;
}

/** Go elsewhere; the browser's back button comes back. */
export function go(change: Partial<Place>, replace = false): void {
  const next = { ...place.peek(), ...change };
  const address = writePlace(next);
  if (address !== location.pathname + location.search) {
    if (replace) history.replaceState(null, "", address);
    else history.pushState(null, "", address);
  }
  place.value = next;
}

export function followHistory(): void {
  window.addEventListener("popstate", () => {
    place.value = readPlace(location.pathname + location.search);
  });
}

function safeDecode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
