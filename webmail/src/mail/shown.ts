/** What the open API tells of one message beside its text: origin, pictures elsewhere, links that deceive, attachments. */
import DOMPurify from "dompurify";
import { request, send } from "../api/http.ts";
import { problemOf } from "../api/problem.ts";
import type { Id } from "../jmap/types.ts";

export interface Attachment {
  readonly part: number;
  readonly name: string;
  readonly media_type: string;
  readonly size: number;
  readonly is_inline: boolean;
  readonly can_preview: boolean;
  readonly url: string;
}

export interface OddLink {
  readonly text: string;
  readonly target: string;
  readonly host: string;
  readonly reasons: readonly string[];
}

export interface Shown {
  readonly email: Id;
  readonly frame: string;
  readonly frame_with_pictures: string;
  readonly sender: string;
  readonly is_sender_trusted: boolean;
  readonly remote: readonly { readonly host: string; readonly pictures: number }[];
  readonly links: readonly OddLink[];
  readonly origin: {
    readonly verdict: "verified" | "failed" | "unknown" | "unchecked";
    readonly domain: string;
    readonly methods: Readonly<Record<string, string>>;
  };
  readonly attachments: readonly Attachment[];
}

export const EMPTY_FRAME = "/api/v1/empty-frame";

export function loadShown(id: Id): Promise<Shown> {
  return request<Shown>("GET", `/api/v1/emails/${encodeURIComponent(id)}/view`);
}

export function zipUrl(id: Id): string {
  return `/api/v1/emails/${encodeURIComponent(id)}/attachments`;
}

export function trustSender(address: string): Promise<void> {
  return request<void>("POST", "/api/v1/trusted-senders", { address });
}

/** Fetch the text of a message, which the server has cleaned. */
export async function loadDocument(address: string): Promise<string> {
  const response = await send(address, {});
  if (!response.ok) throw await problemOf(response);
  return response.text();
}

/**
 * Clean it once more: two cleaners seldom overlook the same. It is read by the window that will show it, whose policy knows
 * inline style; that of this page does not.
 */
export function cleanAgain(text: string, frame: Window): HTMLElement {
  const root = DOMPurify(frame as unknown as typeof window).sanitize(text, {
    WHOLE_DOCUMENT: true,
    RETURN_DOM: true,
    USE_PROFILES: { html: true },
    ADD_ATTR: ["target"],
    FORBID_TAGS: ["form", "input", "button", "select", "textarea", "dialog"],
  }) as HTMLElement;
  for (const link of root.querySelectorAll<HTMLAnchorElement>("a[href]")) {
    link.target = "_blank";
    link.rel = "noopener noreferrer nofollow";
    if (!link.title) link.title = link.getAttribute("href") ?? "";
  }
  return root;
}
