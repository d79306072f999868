/** Which page of the settings is shown: `/settings/services`. */
import { signal } from "@preact/signals";
import { place, writePlace } from "../mail/place.ts";

export const PAGES = ["services", "server", "security", "devices", "mail", "general"] as const;

export type Page = (typeof PAGES)[number];

/** Null: mail is shown; `menu`: the list of pages, which a phone shows alone. */
export const settingsPage = signal<Page | "menu" | null>(
  readPage(typeof location === "undefined" ? "/" : location.pathname),
);

export function readPage(path: string): Page | "menu" | null {
  const [first, second] = path.split("/").filter(Boolean);
  if (first !== "settings") return null;
  return PAGES.find((page) => page === second) ?? "menu";
}

export function writePage(page: Page | "menu"): string {
  return page === "menu" ? "/settings" : `/settings/${page}`;
}

export function openSettings(page: Page | "menu"): void {
  if (settingsPage.peek() === page) return;
  history.pushState(null, "", writePage(page));
  settingsPage.value = page;
}

/** Back to the mail, where one was. */
export function closeSettings(): void {
  history.pushState(null, "", writePlace(place.peek()));
  settingsPage.value = null;
}

export function followSettings(): () => void {
  const follow = () => {
    settingsPage.value = readPage(location.pathname);
  };
  window.addEventListener("popstate", follow);
  return () => window.removeEventListener("popstate", follow);
}
