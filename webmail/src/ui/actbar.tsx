/** What can be done to conversations: the same buttons above the list and above what is read. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { type Key, t } from "../i18n/index.ts";
import type { Id } from "../jmap/types.ts";
import { archive, emailsOfRow, isUnread, junk, mailboxName, markRead, move, remove } from "../mail/acts.ts";
import { mailboxes, shownMailbox } from "../mail/store.ts";
import { Icon, type IconName } from "./icons.tsx";
import { iconOf, inTree } from "./sidebar.tsx";

export function ActBar({ ids, onLeave }: { ids: readonly Id[]; onLeave?: () => void }) {
  const role = shownMailbox.value?.role;
  const unread = ids.flatMap(emailsOfRow).some(isUnread);
  const leaving = (act: (ids: readonly Id[]) => void) => () => {
    act(ids);
    onLeave?.();
  };
  return (
    <div class="acts" role="toolbar" aria-label={t("menu.more")}>
      {role !== "archive" && <Act name="act.archive" icon="archive" shortcut="e" onClick={leaving(archive)} />}
      <Act name={role === "junk" ? "act.notJunk" : "act.junk"} icon="junk" shortcut="!" onClick={leaving(junk)} />
      <Act name={role === "trash" ? "act.destroy" : "act.delete"} icon="trash" shortcut="#" onClick={leaving(remove)} />
      <Act
        name={unread ? "act.read" : "act.unread"}
        icon={unread ? "mailOpen" : "mail"}
        shortcut="m"
        onClick={() => markRead(ids, unread)}
      />
      <MoveMenu ids={ids} onLeave={onLeave} />
    </div>
  );
}

function Act(props: { name: Key; icon: IconName; shortcut: string; onClick: () => void }) {
  const label = t(props.name);
  return (
    <button
      type="button"
      class="icon-button"
      aria-label={label}
      title={`${label} (${props.shortcut})`}
      onClick={props.onClick}
    >
      <Icon name={props.icon} />
    </button>
  );
}

function MoveMenu({ ids, onLeave }: { ids: readonly Id[]; onLeave: (() => void) | undefined }) {
  const isOpen = useSignal(false);
  const root = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    const onClick = (event: MouseEvent) => {
      if (!root.current?.contains(event.target as Node)) isOpen.value = false;
    };
    document.addEventListener("click", onClick);
    return () => document.removeEventListener("click", onClick);
  }, []);
  useEffect(() => {
    if (isOpen.value) root.current?.querySelector<HTMLElement>(".menu button")?.focus();
  }, [isOpen.value]);
  const targets = inTree(mailboxes.value).filter(({ mailbox }) => mailbox.id !== shownMailbox.value?.id);
  return (
    <span
      class="menu-root"
      ref={root}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        isOpen.value = false;
        root.current?.querySelector("button")?.focus();
      }}
    >
      <button
        type="button"
        class="icon-button move-button"
        aria-label={t("act.move")}
        title={`${t("act.move")} (v)`}
        aria-expanded={isOpen.value}
        onClick={() => {
          isOpen.value = !isOpen.value;
        }}
      >
        <Icon name="move" />
      </button>
      {isOpen.value && (
        <div class="menu" role="group" aria-label={t("act.moveTitle")}>
          <p class="menu-title">{t("act.moveTitle")}</p>
          {targets.map(({ mailbox, depth }) => (
            <button
              key={mailbox.id}
              type="button"
              class={`menu-item depth-${Math.min(depth, 4)}`}
              onClick={() => {
                isOpen.value = false;
                move(ids, mailbox);
                onLeave?.();
              }}
            >
              <Icon name={iconOf(mailbox)} size={18} />
              <span class="menu-text">{mailboxName(mailbox)}</span>
            </button>
          ))}
        </div>
      )}
    </span>
  );
}
