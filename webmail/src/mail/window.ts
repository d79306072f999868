/**
 * The ids of a query of which only windows were fetched: `ids[position]`, with holes. Immutable: each change gives a new
 * one. Positions are those of the server at `queryState`.
 */
import type { Id } from "../jmap/types.ts";

export interface Rows {
  readonly ids: readonly (Id | undefined)[];
  readonly total: number;
  readonly queryState: string;
  readonly canCalculateChanges: boolean;
}

export const NO_ROWS: Rows = { ids: [], total: 0, queryState: "", canCalculateChanges: false };

export const WINDOW = 50;
/** How many rows are asked for at once. */

export interface Page {
  readonly position: number;
  readonly ids: readonly Id[];
  readonly total?: number;
  readonly queryState: string;
  readonly canCalculateChanges: boolean;
}

/** Lay a page in. One of another state means that positions have moved: only it is kept. */
export function withPage(rows: Rows, page: Page): Rows {
  const isSame = rows.queryState === page.queryState || rows.queryState === "";
  const total = page.total ?? rows.total;
  const ids: (Id | undefined)[] = isSame ? rows.ids.slice(0, total) : [];
  page.ids.forEach((id, index) => {
    ids[page.position + index] = id;
  });
  return { ids, total, queryState: page.queryState, canCalculateChanges: page.canCalculateChanges };
}

/** Where windows begin that have holes within [first, last]. */
export function missingWindows(rows: Rows, first: number, last: number): number[] {
  const wanted: number[] = [];
  const end = Math.min(last, rows.total - 1);
  for (let start = Math.floor(Math.max(0, first) / WINDOW) * WINDOW; start <= end; start += WINDOW) {
    const stop = Math.min(start + WINDOW, rows.total);
    for (let at = start; at < stop; at++) {
      if (rows.ids[at] === undefined) {
        wanted.push(start);
        break;
      }
    }
  }
  return wanted;
}

export interface QueryChanges {
  readonly newQueryState: string;
  readonly total?: number;
  readonly removed: readonly Id[];
  readonly added: readonly { readonly id: Id; readonly index: number }[];
}

/** RFC 8620 §5.6: take out what was removed, then put in what was added, lowest index first. */
export function withChanges(rows: Rows, changes: QueryChanges): Rows {
  const removed = new Set(changes.removed);
  const sparse = Array.from({ length: rows.total }, (_, at) => rows.ids[at]);
  const ids = sparse.filter((id) => id === undefined || !removed.has(id));
  for (const { id, index } of [...changes.added].sort((one, other) => one.index - other.index)) {
    if (index <= ids.length) ids.splice(index, 0, id);
  }
  const total = changes.total ?? ids.length;
  // What was removed beyond the windows was not known by its place: the tail is asked for again.
  const isWhole = ids.length === total;
  return { ...rows, ids: isWhole ? ids : ids.slice(0, firstHole(ids)), total, queryState: changes.newQueryState };
}

/** Take rows out before the server has said so. */
export function without(rows: Rows, gone: ReadonlySet<Id>): Rows {
  const before = Array.from({ length: rows.total }, (_, at) => rows.ids[at]);
  const ids = before.filter((id) => id === undefined || !gone.has(id));
  return { ...rows, ids, total: rows.total - (before.length - ids.length) };
}

function firstHole(ids: readonly (Id | undefined)[]): number {
  const at = ids.indexOf(undefined);
  return at < 0 ? ids.length : at;
}

/** Which rows are within sight, and a few beyond, so that scrolling meets them ready. */
export function visibleRange(scrollTop: number, height: number, row: number, total: number, spare = 6) {
  const first = Math.max(0, Math.floor(scrollTop / row) - spare);
  const last = Math.min(total - 1, Math.ceil((scrollTop + height) / row) + spare);
  return { first, last };
}
