/** Three panes: folders, conversations, and what is read. A narrow screen shows one at a time. */
import { signal, useSignalEffect } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { t } from "../i18n/index.ts";
import { isConnected } from "../jmap/push.ts";
import { composeNew, composing } from "../mail/drafts.ts";
import { followHistory, place } from "../mail/place.ts";
import { mailboxes, roles, show, view } from "../mail/store.ts";
import { ComposeDialog } from "./compose.tsx";
import { followKeys } from "./keys.ts";
import { ListPane } from "./list.tsx";
import { HelpDialog, ToastArea } from "./overlays.tsx";
import { ReadingPane } from "./reading.tsx";
import { Icon } from "./icons.tsx";
import { Sidebar } from "./sidebar.tsx";

export const isDrawerOpen = signal(false);

export function MailPage() {
  useEffect(followHistory, []);
  useEffect(followKeys, []);
  useSignalEffect(() => {
    const { mailbox, search } = place.value;
    const found =
      roles.value.get(mailbox) ?? mailboxes.value.find(({ id }) => id === mailbox) ?? roles.value.get("inbox");
    const mailboxId = search ? null : (found?.id ?? null);
    const now = view.peek();
    if (mailboxId === now.mailboxId && search === now.search) return;
    void show({ mailboxId, search }).catch(() => undefined);
  });

  const isReading = place.value.threadId !== null;
  return (
    <div class={`mail ${isReading ? "is-reading" : ""} ${isDrawerOpen.value ? "has-drawer" : ""}`}>
      <a class="skip" href="#list">
        {t("app.skip")}
      </a>
      <Sidebar />
      <button
        type="button"
        class="drawer-scrim"
        aria-label={t("menu.close")}
        tabIndex={-1}
        onClick={() => {
          isDrawerOpen.value = false;
        }}
      />
      <ListPane />
      <ReadingPane />
      {!isReading && (
        <button type="button" class="compose-float primary" aria-label={t("compose.new")} onClick={composeNew}>
          <Icon name="compose" size={22} />
        </button>
      )}
      {composing.value !== null && <ComposeDialog key={composing.value.about?.id ?? "new"} first={composing.value} />}
      {!isConnected.value && (
        <p class="offline" role="status">
          {t("app.offline")}
        </p>
      )}
      <HelpDialog />
      <ToastArea />
    </div>
  );
}
