/** The list of conversations: of any length, only the rows within sight exist. */
import { signal, useComputed, useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { number, shortDate, t, wholeDate } from "../i18n/index.ts";
import type { Email, Id } from "../jmap/types.ts";
import { emailsOfRow, isStarred, isUnread, mailboxName, selected, star } from "../mail/acts.ts";
import { initialsOf, nameOf, shortName, tintOf } from "../mail/people.ts";
import { go, place } from "../mail/place.ts";
import { emailSignal, isListing, need, refresh, rows, shownMailbox, threadSignal, view } from "../mail/store.ts";
import { visibleRange, WINDOW } from "../mail/window.ts";
import { ActBar } from "./actbar.tsx";
import { Icon } from "./icons.tsx";
import { isDrawerOpen } from "./mail.tsx";

const SHOWN_PREVIEW = 160; // characters: more than a line holds, and the browser shapes what it cuts off, too

/** The position of the row that the keyboard is at. */
export const cursor = signal(0);

export function ListPane() {
  const isSearch = view.value.search !== "";
  const title = isSearch ? t("search.title") : shownMailbox.value ? mailboxName(shownMailbox.value) : "";
  const { total } = rows.value;
  return (
    <section class="list-pane" aria-label={t("list.label")}>
      <header class="list-head">
        <div class="list-search">
          <button
            type="button"
            class="icon-button drawer-button"
            aria-label={t("menu.folders")}
            onClick={() => {
              isDrawerOpen.value = true;
            }}
          >
            <Icon name="menu" />
          </button>
          <SearchBox />
        </div>
        {selected.value.size > 0 ? (
          <SelectionBar />
        ) : (
          <div class="list-title">
            <h1>{title}</h1>
            {total > 0 && (
              <span class="list-count">
                {total === 1 ? t("list.countOne") : t("list.count", { count: number(total) })}
              </span>
            )}
            <button
              type="button"
              class="icon-button push"
              aria-label={t("list.refresh")}
              onClick={() => void refresh()}
            >
              <Icon name="refresh" size={18} />
            </button>
          </div>
        )}
      </header>
      <Rows />
    </section>
  );
}

function SearchBox() {
  const typed = useSignal(place.value.search);
  useEffect(() => {
    typed.value = place.value.search;
  }, [place.value.search]);
  const submit = () => {
    const search = typed.value.trim();
    if (search) go({ search, threadId: null });
    else if (place.value.search) go({ search: "", threadId: null });
  };
  return (
    <form
      class="search"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <Icon name="search" size={18} />
      <input
        id="search"
        type="search"
        aria-label={t("search.placeholder")}
        placeholder={t("search.placeholder")}
        autocomplete="off"
        value={typed.value}
        onInput={(event) => {
          typed.value = event.currentTarget.value;
        }}
      />
      {typed.value && (
        <button
          type="button"
          class="icon-button"
          aria-label={t("search.clear")}
          onClick={() => {
            typed.value = "";
            submit();
          }}
        >
          <Icon name="close" size={16} />
        </button>
      )}
    </form>
  );
}

function SelectionBar() {
  const ids = [...selected.value];
  return (
    <div class="list-title selection">
      <button
        type="button"
        class="icon-button"
        aria-label={t("list.clearSelection")}
        onClick={() => {
          selected.value = new Set();
        }}
      >
        <Icon name="close" size={18} />
      </button>
      <span class="selection-count" role="status">
        {t("list.selected", { count: number(ids.length) })}
      </span>
      <ActBar ids={ids} />
    </div>
  );
}

function Rows() {
  const box = useRef<HTMLDivElement>(null);
  const sight = useSignal({ top: 0, height: 800, row: 76 });
  const { total, ids } = rows.value;

  const measure = () => {
    const element = box.current;
    if (element === null) return;
    const row = Number.parseFloat(getComputedStyle(element).getPropertyValue("--row")) || 76;
    sight.value = { top: element.scrollTop, height: element.clientHeight, row };
  };
  const follow = () => {
    // Sizes are not asked for here: to answer, the browser would lay out what it is about to lay out anyway.
    const top = box.current?.scrollTop ?? 0;
    if (top !== sight.peek().top) sight.value = { ...sight.peek(), top };
  };
  useLayoutEffect(() => {
    measure();
    const observer = new ResizeObserver(measure);
    if (box.current !== null) observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => {
    if (box.current !== null) box.current.scrollTop = 0;
    cursor.value = 0;
    follow();
  }, [view.value]);

  const { top, height, row } = sight.value;
  const { first, last } = visibleRange(top, height, row, total);
  useEffect(() => {
    need(first - WINDOW / 2, last + WINDOW);
  }, [first, last, rows.value]);
  useEffect(() => {
    const element = box.current;
    if (element === null || total === 0) return;
    const at = cursor.value * row;
    if (at < element.scrollTop) element.scrollTop = at;
    else if (at + row > element.scrollTop + element.clientHeight) element.scrollTop = at + row - element.clientHeight;
  }, [cursor.value]);

  const shown = [];
  for (let at = first; at <= last; at++) shown.push(<Row key={at} at={at} id={ids[at]} row={row} />);
  return (
    <div class="rows" id="list" ref={box} onScroll={follow} tabIndex={-1}>
      {total === 0 && !isListing.value && <Empty />}
      <div
        class="rows-all"
        role="grid"
        aria-label={t("list.label")}
        aria-rowcount={total}
        aria-multiselectable="true"
        style={{ height: `${total * row}px` }}
      >
        {shown}
      </div>
    </div>
  );
}

function Empty() {
  const key = view.value.search
    ? "list.emptySearch"
    : shownMailbox.value?.role === "inbox"
      ? "list.emptyInbox"
      : "list.empty";
  return (
    <div class="empty">
      <Icon name={view.value.search ? "search" : "mailOpen"} size={40} />
      <p>{t(key)}</p>
    </div>
  );
}

function Row({ at, id, row }: { at: number; id: Id | undefined; row: number }) {
  const style = { top: `${at * row}px` };
  const email = id === undefined ? undefined : emailSignal(id).value;
  if (id === undefined || email === undefined)
    return (
      <div class="row is-waiting" role="row" aria-rowindex={at + 1} style={style}>
        <span role="gridcell" class="waiting-lines" aria-busy="true" />
      </div>
    );
  return <Conversation at={at} id={id} email={email} style={style} />;
}

function Conversation(props: { at: number; id: Id; email: Email; style: { top: string } }) {
  const { at, id, email, style } = props;
  const all = useComputed(() => {
    const ids = threadSignal(email.threadId).value;
    for (const each of ids) void emailSignal(each).value;
    return emailsOfRow(id);
  }).value;
  const isSelected = selected.value.has(id);
  const unread = all.some(isUnread);
  const starred = all.some(isStarred);
  const isOpen = place.value.threadId === email.threadId;
  const newest = all.at(-1) ?? email;
  const isOutgoing = ["sent", "drafts"].includes(shownMailbox.value?.role ?? "");
  const people = isOutgoing ? (email.to ?? []) : uniquePeople(all);
  const face = people[0] ?? { name: null, email: "?" };
  const names =
    people.length === 1 && people[0] ? nameOf(people[0]) : people.slice(0, 4).map(shortName).join(t("list.and"));
  const open = () => {
    cursor.value = at;
    go({ threadId: email.threadId }, place.value.threadId !== null);
  };
  return (
    <div
      class={`row ${unread ? "is-unread" : ""} ${isOpen ? "is-open" : ""} ${isSelected ? "is-selected" : ""} ${cursor.value === at ? "is-at" : ""}`}
      role="row"
      aria-rowindex={at + 1}
      aria-selected={isSelected}
      style={style}
      onClick={(event) => {
        if (event.shiftKey || event.metaKey || event.ctrlKey) toggle(id);
        else open();
      }}
    >
      <span role="gridcell" class="row-face">
        <button
          type="button"
          class={`avatar tint-${tintOf(face)}`}
          aria-label={t("list.select")}
          aria-pressed={isSelected}
          onClick={(event) => {
            event.stopPropagation();
            toggle(id);
          }}
        >
          {isSelected ? <Icon name="check" size={18} /> : initialsOf(face)}
        </button>
      </span>
      <span role="gridcell" class="row-text">
        <a
          class="row-open"
          href={`#${email.threadId}`}
          onClick={(event) => {
            event.preventDefault();
          }}
        >
          <span class="row-line">
            <span class="row-names">{names || t("list.noSender")}</span>
            {all.length > 1 && (
              <span class="row-many" title={t("list.messages", { count: number(all.length) })}>
                {number(all.length)}
              </span>
            )}
            {unread && <span class="visually-hidden">{t("list.unread")}</span>}
          </span>
          <span class="row-subject">{email.subject || t("list.noSubject")}</span>
          <span class="row-preview">{newest.preview.slice(0, SHOWN_PREVIEW)}</span>
        </a>
      </span>
      <span role="gridcell" class="row-end">
        <time class="row-date" dateTime={newest.receivedAt} title={wholeDate(newest.receivedAt)}>
          {shortDate(newest.receivedAt)}
        </time>
        <span class="row-marks">
          {all.some(({ hasAttachment }) => hasAttachment) && (
            <span title={t("list.attachment")}>
              <Icon name="attachment" size={16} />
              <span class="visually-hidden">{t("list.attachment")}</span>
            </span>
          )}
          <button
            type="button"
            class={`star ${starred ? "starred" : ""}`}
            aria-label={t(starred ? "act.unstar" : "act.star")}
            aria-pressed={starred}
            onClick={(event) => {
              event.stopPropagation();
              star([id], !starred);
            }}
          >
            <Icon name="star" size={18} filled={starred} />
          </button>
        </span>
      </span>
    </div>
  );
}

function uniquePeople(all: readonly Email[]) {
  const people = new Map(all.flatMap(({ from }) => from ?? []).map((person) => [person.email.toLowerCase(), person]));
  return [...people.values()];
}

export function toggle(id: Id): void {
  const next = new Set(selected.value);
  if (!next.delete(id)) next.add(id);
  selected.value = next;
}
