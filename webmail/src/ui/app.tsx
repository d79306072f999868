/** The whole client: who is not logged in sees the login, whoever is sees their mail. */
import { useEffect, useRef } from "preact/hooks";
import { Problem } from "../api/problem.ts";
import { type Session, standing } from "../api/session.ts";
import { t } from "../i18n/index.ts";
import { closeMail, failure, mailboxes, openMail } from "../mail/store.ts";
import { SettingsPage } from "../settings/page.tsx";
import { followSettings, settingsPage } from "../settings/route.ts";
import { Goose } from "./icons.tsx";
import { LoginPage } from "./login.tsx";
import { MailPage } from "./mail.tsx";

export function App() {
  const now = standing.value;
  const lately = useRef<Session | null>(null);
  useEffect(followSettings, []);
  if (now.at === "inside") lately.current = now.session;
  if (now.at === "outside" && !now.ended) lately.current = null;
  if (now.at === "asking") return <Splash text={t("app.loading")} />;
  const isInside = now.at === "inside";
  const session = lately.current;
  // What is typed into the settings outlives the session: the page waits behind the login.
  const waits = session !== null && (isInside || settingsPage.value !== null);
  return (
    <>
      {waits && (
        <div class="inside" key={session.address} hidden={!isInside}>
          {settingsPage.value === null && session.requirement === null ? (
            <Inside />
          ) : (
            <SettingsPage session={session} />
          )}
        </div>
      )}
      {!isInside && <LoginPage />}
    </>
  );
}

function Inside() {
  useEffect(() => {
    void openMail().catch(() => undefined);
    return closeMail;
  }, []);
  if (mailboxes.value.length > 0) return <MailPage />;
  if (failure.value === null) return <Splash text={t("app.loading")} />;
  const isMissing = failure.value instanceof Problem && failure.value.status === 404;
  return (
    <Splash text={t(isMissing ? "app.noJmap" : "app.failed")}>
      <button type="button" class="secondary" onClick={() => void openMail().catch(() => undefined)}>
        {t("app.retry")}
      </button>
    </Splash>
  );
}

function Splash({ text, children }: { text: string; children?: preact.ComponentChildren }) {
  return (
    <div class="splash" role="status">
      <Goose size={52} />
      <p>{text}</p>
      {children}
    </div>
  );
}
