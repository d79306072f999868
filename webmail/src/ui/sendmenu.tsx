/** Beside the button that sends: send later, and for how long a letter can be taken back. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { middleDate, t } from "../i18n/index.ts";
import { setUndoSeconds, UNDO_SECONDS, undoSeconds } from "../mail/sending.ts";
import { Icon } from "./icons.tsx";

export function SendMenu({ isDisabled, onSend }: { isDisabled: boolean; onSend: (at: Date) => void }) {
  const isOpen = useSignal(false);
  const chosen = useSignal("");
  const root = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    const onClick = (event: MouseEvent) => {
      if (!root.current?.contains(event.target as Node)) isOpen.value = false;
    };
    document.addEventListener("click", onClick);
    return () => document.removeEventListener("click", onClick);
  }, []);
  const send = (at: Date) => {
    if (Number.isNaN(at.getTime()) || at <= new Date()) return;
    isOpen.value = false;
    onSend(at);
  };
  return (
    <span
      class="menu-root send-menu"
      ref={root}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !isOpen.value) return;
        event.stopPropagation();
        isOpen.value = false;
      }}
    >
      <button
        type="button"
        class="icon-button"
        aria-label={t("compose.later")}
        title={t("compose.later")}
        aria-expanded={isOpen.value}
        disabled={isDisabled}
        onClick={() => {
          isOpen.value = !isOpen.value;
        }}
      >
        <Icon name="clock" />
      </button>
      {isOpen.value && (
        <div class="menu" role="group" aria-label={t("compose.later")}>
          <p class="menu-title">{t("compose.later")}</p>
          {suggestions(new Date()).map((at) => (
            <button key={at.getTime()} type="button" class="menu-item" onClick={() => send(at)}>
              <Icon name="clock" size={18} />
              <span class="menu-text">{middleDate(at.toISOString())}</span>
            </button>
          ))}
          <label class="menu-field">
            {t("compose.laterAt")}
            <input
              type="datetime-local"
              value={chosen.value}
              onInput={(event) => {
                chosen.value = event.currentTarget.value;
              }}
            />
          </label>
          <button type="button" class="secondary" disabled={!chosen.value} onClick={() => send(new Date(chosen.value))}>
            {t("compose.schedule")}
          </button>
          <label class="menu-field">
            {t("compose.undoFor")}
            <select
              value={String(undoSeconds.value)}
              onChange={(event) => setUndoSeconds(Number(event.currentTarget.value))}
            >
              {UNDO_SECONDS.map((seconds) => (
                <option key={seconds} value={String(seconds)}>
                  {t("compose.seconds", { count: seconds })}
                </option>
              ))}
            </select>
          </label>
        </div>
      )}
    </span>
  );
}

/** Tomorrow and next Monday, at eight in the morning here. */
function suggestions(now: Date): Date[] {
  const at = (days: number) => new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, 8);
  const toMonday = (8 - now.getDay()) % 7 || 7;
  return toMonday === 1 ? [at(1)] : [at(1), at(toMonday)];
}
