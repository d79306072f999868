/** What lies above the page for a moment: what was done, with its undo; the list of shortcuts. */
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { type Key, t } from "../i18n/index.ts";
import { toast } from "../mail/acts.ts";
import { Icon } from "./icons.tsx";

const TOAST_MS = 8000;

export const isHelpOpen = signal(false);

export function ToastArea() {
  const shown = toast.value;
  const timer = useRef(0);
  const stay = () => clearTimeout(timer.current);
  const leave = () => {
    stay();
    timer.current = window.setTimeout(() => {
      toast.value = null;
    }, toast.peek()?.lasts ?? TOAST_MS);
  };
  useEffect(() => {
    if (shown !== null) leave();
    return stay;
  }, [shown]);
  return (
    <div class="toasts" role="status" aria-live="polite" onMouseEnter={stay} onMouseLeave={leave} onFocusCapture={stay}>
      {shown !== null && (
        <div class="toast">
          <span>{shown.text}</span>
          {shown.undo && (
            <button type="button" onClick={shown.undo}>
              {t("done.undo")}
            </button>
          )}
        </div>
      )}
    </div>
  );
}

type Shortcut = readonly [keys: string, what: Key];

const SHORTCUTS: readonly (readonly [Key, readonly Shortcut[]])[] = [
  [
    "keys.moving",
    [
      ["j", "keys.next"],
      ["k", "keys.previous"],
      ["o", "keys.open"],
      ["u", "keys.back"],
      ["g i", "keys.inbox"],
      ["g t", "keys.sent"],
      ["g d", "keys.drafts"],
      ["/", "keys.search"],
    ],
  ],
  [
    "keys.acting",
    [
      ["x", "keys.select"],
      ["e", "act.archive"],
      ["#", "act.delete"],
      ["!", "act.junk"],
      ["s", "act.star"],
      ["m", "act.unread"],
      ["v", "act.move"],
      ["z", "keys.undo"],
    ],
  ],
  [
    "keys.writing",
    [
      ["c", "compose.new"],
      ["r", "act.reply"],
      ["a", "act.replyAll"],
      ["f", "act.forward"],
      ["?", "keys.help"],
    ],
  ],
];

export function HelpDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  const isOpen = isHelpOpen.value;
  useEffect(() => {
    if (isOpen && !dialog.current?.open) dialog.current?.showModal();
    if (!isOpen) dialog.current?.close();
  }, [isOpen]);
  const close = () => {
    isHelpOpen.value = false;
  };
  return (
    <dialog class="help" ref={dialog} aria-label={t("keys.title")} onClose={close}>
      {isOpen && (
        <>
          <header class="help-head">
            <h2>{t("keys.title")}</h2>
            <button type="button" class="icon-button" aria-label={t("menu.close")} onClick={close}>
              <Icon name="close" />
            </button>
          </header>
          <div class="help-groups">
            {SHORTCUTS.map(([group, shortcuts]) => (
              <section key={group}>
                <h3>{t(group)}</h3>
                <dl>
                  {shortcuts.map(([keys, what]) => (
                    <div key={keys}>
                      <dt>
                        {keys.split(" ").map((key) => (
                          <kbd key={key}>{key}</kbd>
                        ))}
                      </dt>
                      <dd>{t(what)}</dd>
                    </div>
                  ))}
                </dl>
              </section>
            ))}
          </div>
        </>
      )}
    </dialog>
  );
}
