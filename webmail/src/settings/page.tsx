/** The settings: pages at the side, one of them shown; a phone shows either. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { logOut, type Session } from "../api/session.ts";
import { type Key, t } from "../i18n/index.ts";
import { Icon, type IconName } from "../ui/icons.tsx";
import { ToastArea } from "../ui/overlays.tsx";
import { DevicesPage } from "./devices.tsx";
import { GeneralPage } from "./general.tsx";
import { MailSettingsPage } from "./mail.tsx";
import { ProveDialog } from "./prove.tsx";
import { closeSettings, openSettings, type Page, settingsPage, writePage } from "./route.ts";
import { SecurityPage } from "./security.tsx";
import { ServerPage } from "./server.tsx";
import { ServicesPage } from "./services.tsx";

type Shown = (props: { session: Session }) => ComponentChildren;

interface Entry {
  readonly page: Page;
  readonly icon: IconName;
  readonly shown: Shown;
}

const GROUPS: readonly (readonly [title: Key, entries: readonly Entry[]])[] = [
  [
    "settings.account",
    [
      { page: "services", icon: "key", shown: ServicesPage },
      { page: "server", icon: "server", shown: ServerPage },
      { page: "mail", icon: "mail", shown: MailSettingsPage },
      { page: "general", icon: "sliders", shown: GeneralPage },
    ],
  ],
  [
    "settings.safety",
    [
      { page: "security", icon: "shield", shown: SecurityPage },
      { page: "devices", icon: "system", shown: DevicesPage },
    ],
  ],
];

export function SettingsPage({ session }: { session: Session }) {
  const wanted = settingsPage.value ?? "menu";
  const needs = session.requirement;
  const entries = GROUPS.flatMap(([, group]) => group);
  const asked = needs === null ? wanted : "security";
  const shown = entries.find(({ page }) => page === asked) ?? entries[0];
  const main = useRef<HTMLElement>(null);
  useEffect(() => main.current?.scrollTo(0, 0), [asked]);
  useEffect(() => {
    const title = shown === undefined ? "" : t(`settings.${shown.page}`);
    document.title = `${title} · ${t("app.name")}`;
    return () => {
      document.title = t("app.name");
    };
  });
  if (shown === undefined) return null;
  const Content = shown.shown;
  return (
    <div class={`settings ${asked === "menu" ? "is-menu" : ""} ${needs === null ? "" : "is-bound"}`}>
      <a class="skip" href="#settings-main">
        {t("settings.skip")}
      </a>
      <header class="settings-bar">
        <Back isMenu={asked === "menu"} isBound={needs !== null} />
        <p class="settings-name">{t("settings.title")}</p>
      </header>
      {needs === null && <Menu shown={shown.page} />}
      <main class="settings-main" id="settings-main" ref={main} tabIndex={-1}>
        <div class="settings-page">
          <h1>{t(`settings.${shown.page}`)}</h1>
          {needs !== null && <p class="notice">{t(`settings.needs.${needs}`)}</p>}
          <Content key={shown.page} session={session} />
        </div>
      </main>
      <ProveDialog />
      <ToastArea />
    </div>
  );
}

function Back({ isMenu, isBound }: { isMenu: boolean; isBound: boolean }) {
  if (isBound)
    return (
      <button type="button" class="secondary" onClick={() => void logOut()}>
        {t("menu.logout")}
      </button>
    );
  return (
    <>
      <button type="button" class="secondary to-mail" onClick={closeSettings}>
        <Icon name="arrowLeft" size={18} />
        {t("settings.toMail")}
      </button>
      {!isMenu && (
        <button type="button" class="secondary to-menu" onClick={() => openSettings("menu")}>
          <Icon name="arrowLeft" size={18} />
          {t("settings.title")}
        </button>
      )}
    </>
  );
}

function Menu({ shown }: { shown: Page }) {
  return (
    <nav class="settings-menu" aria-label={t("settings.title")}>
      {GROUPS.map(([title, entries]) => (
        <section key={title}>
          <h2 class="folders-title">{t(title)}</h2>
          <ul>
            {entries.map(({ page, icon }) => (
              <li key={page}>
                <a
                  class={`folder ${page === shown ? "is-shown" : ""}`}
                  href={writePage(page)}
                  aria-current={page === shown ? "page" : undefined}
                  onClick={(event) => {
                    if (event.metaKey || event.ctrlKey) return;
                    event.preventDefault();
                    openSettings(page);
                  }}
                >
                  <Icon name={icon} />
                  <span class="folder-name">{t(`settings.${page}`)}</span>
                </a>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </nav>
  );
}
