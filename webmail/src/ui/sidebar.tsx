/** The folders with what is unread in them, and the account. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { logOut, standing } from "../api/session.ts";
import { number, t } from "../i18n/index.ts";
import type { Id, Mailbox } from "../jmap/types.ts";
import { mailboxName } from "../mail/acts.ts";
import { composeNew } from "../mail/drafts.ts";
import { initialsOf, tintOf } from "../mail/people.ts";
import { go } from "../mail/place.ts";
import { mailboxes, shownMailbox } from "../mail/store.ts";
import { openSettings } from "../settings/route.ts";
import { Goose, Icon, type IconName } from "./icons.tsx";
import { isDrawerOpen } from "./mail.tsx";
import { isHelpOpen } from "./overlays.tsx";
import { LanguageSwitch, ThemeSwitch } from "./switches.tsx";

const ORDER = ["inbox", "drafts", "sent", "archive", "junk", "trash"];
const ICONS: Record<string, IconName> = {
  inbox: "inbox",
  drafts: "draft",
  sent: "sent",
  archive: "archive",
  junk: "junk",
  trash: "trash",
};

export function iconOf(mailbox: Mailbox): IconName {
  return ICONS[mailbox.role ?? ""] ?? "folder";
}

export function Sidebar() {
  const special = ORDER.flatMap((role) => mailboxes.value.filter((mailbox) => mailbox.role === role));
  const others = inTree(mailboxes.value.filter((mailbox) => !ORDER.includes(mailbox.role ?? "")));
  return (
    <nav class="sidebar" aria-label={t("menu.folders")}>
      <div class="brand">
        <Goose size={30} />
        <span>{t("app.name")}</span>
      </div>
      <button type="button" class="primary compose-button" onClick={composeNew}>
        <Icon name="compose" />
        {t("compose.new")}
      </button>
      <div class="folders">
        <ul>
          {special.map((mailbox) => (
            <Folder key={mailbox.id} mailbox={mailbox} depth={0} />
          ))}
        </ul>
        {others.length > 0 && <h2 class="folders-title">{t("mailbox.others")}</h2>}
        <ul>
          {others.map(({ mailbox, depth }) => (
            <Folder key={mailbox.id} mailbox={mailbox} depth={depth} />
          ))}
        </ul>
      </div>
      <Account />
    </nav>
  );
}

function Folder({ mailbox, depth }: { mailbox: Mailbox; depth: number }) {
  const isShown = shownMailbox.value?.id === mailbox.id;
  const isDrafts = mailbox.role === "drafts";
  const count = isDrafts
    ? mailbox.totalEmails
    : mailbox.role === "trash" || mailbox.role === "sent"
      ? 0
      : mailbox.unreadThreads;
  return (
    <li>
      <a
        class={`folder depth-${Math.min(depth, 4)} ${isShown ? "is-shown" : ""} ${count > 0 && !isDrafts ? "has-unread" : ""}`}
        href={`/mail/${encodeURIComponent(mailbox.role ?? mailbox.id)}`}
        aria-current={isShown ? "page" : undefined}
        onClick={(event) => {
          if (event.metaKey || event.ctrlKey) return;
          event.preventDefault();
          isDrawerOpen.value = false;
          go({ mailbox: mailbox.role ?? mailbox.id, search: "", threadId: null });
        }}
      >
        <Icon name={iconOf(mailbox)} />
        <span class="folder-name">{mailboxName(mailbox)}</span>
        {count > 0 && (
          <span class="count" aria-label={isDrafts ? undefined : t("mailbox.unread", { count: number(count) })}>
            {number(count)}
          </span>
        )}
      </a>
    </li>
  );
}

/** Parents before their children, those of one parent in their order. */
export function inTree(list: readonly Mailbox[]): { mailbox: Mailbox; depth: number }[] {
  const known = new Set(list.map(({ id }) => id));
  const below = (parent: Id | null, depth: number): { mailbox: Mailbox; depth: number }[] =>
    list
      .filter(({ parentId }) => (parentId !== null && known.has(parentId) ? parentId : null) === parent)
      .sort((one, other) => one.sortOrder - other.sortOrder || one.name.localeCompare(other.name))
      .flatMap((mailbox) => [{ mailbox, depth }, ...below(mailbox.id, depth + 1)]);
  return below(null, 0);
}

function Account() {
  const isOpen = useSignal(false);
  const root = useRef<HTMLDivElement>(null);
  const session = standing.value.at === "inside" ? standing.value.session : null;
  useEffect(() => {
    const onClick = (event: MouseEvent) => {
      if (!root.current?.contains(event.target as Node)) isOpen.value = false;
    };
    document.addEventListener("click", onClick);
    return () => document.removeEventListener("click", onClick);
  }, []);
  if (session === null) return null;
  const person = { name: session.name || null, email: session.address };
  return (
    <div
      class="account"
      ref={root}
      onKeyDown={(event) => {
        if (event.key === "Escape") isOpen.value = false;
      }}
    >
      {isOpen.value && (
        <div class="account-menu">
          <div class="account-row">
            <LanguageSwitch />
            <ThemeSwitch />
          </div>
          <button
            type="button"
            class="menu-item"
            onClick={() => {
              isOpen.value = false;
              openSettings(window.innerWidth < 720 ? "menu" : "services");
            }}
          >
            <Icon name="sliders" />
            {t("settings.title")}
          </button>
          <button
            type="button"
            class="menu-item"
            onClick={() => {
              isOpen.value = false;
              isHelpOpen.value = true;
            }}
          >
            <Icon name="keyboard" />
            {t("menu.shortcuts")}
          </button>
          <button type="button" class="menu-item" onClick={() => void logOut()}>
            <Icon name="logout" />
            {t("menu.logout")}
          </button>
        </div>
      )}
      <button
        type="button"
        class="account-button"
        aria-expanded={isOpen.value}
        title={t("menu.account")}
        onClick={() => {
          isOpen.value = !isOpen.value;
        }}
      >
        <span class={`avatar tint-${tintOf(person)}`} aria-hidden="true">
          {initialsOf(person)}
        </span>
        <span class="account-names">
          <span class="account-name">{session.name || session.address.split("@")[0]}</span>
          <span class="account-address">{session.address}</span>
        </span>
      </button>
    </div>
  );
}
