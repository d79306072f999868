/** Letters being written: kept as drafts on the server, a second after the last key; sent by a submission. */
import { signal } from "@preact/signals";
import { middleDate, t } from "../i18n/index.ts";
import type { BodyPart, Email, EmailDetails, GetResponse, Id, Identity, Person, SetResponse } from "../jmap/types.ts";
import type { LetterFile } from "./files.ts";
import { nameOf, parsePeople, writePeople } from "./people.ts";
import { identities, loadDetails, mailboxOf, requireClient } from "./store.ts";
import { textOfHtml } from "./text.ts";

export interface Letter {
  readonly to: string;
  readonly cc: string;
  readonly bcc: string;
  readonly subject: string;
  readonly text: string;
  readonly inReplyTo: readonly string[];
  readonly references: readonly string[];
  /** The email that is answered or forwarded, which is marked when this is sent. */
  readonly about: { readonly id: Id; readonly keyword: "$answered" | "$forwarded" } | null;
  readonly draftId: Id | null;
  readonly files: readonly LetterFile[];
}

const EMPTY: Letter = {
  to: "",
  cc: "",
  bcc: "",
  subject: "",
  text: "",
  inReplyTo: [],
  references: [],
  about: null,
  draftId: null,
  files: [],
};

/** The letter that is open, if one is. */
export const composing = signal<Letter | null>(null);

export function composeNew(): void {
  composing.value ??= EMPTY;
}

export async function composeAnswer(email: Email, kind: "reply" | "all" | "forward", own: string): Promise<void> {
  const known = await loadDetails(email.id);
  composing.value = kind === "forward" ? forwardOf(email, known) : replyTo(email, known, kind === "all", own);
}

export async function composeDraft(email: Email): Promise<void> {
  const known = await loadDetails(email.id);
  composing.value = {
    ...EMPTY,
    to: writePeople(email.to),
    cc: writePeople(known.cc),
    bcc: writePeople(known.bcc),
    subject: email.subject ?? "",
    text: textOf(known),
    inReplyTo: known.inReplyTo ?? [],
    references: known.references ?? [],
    draftId: email.id,
    files: filesOf(known),
  };
}

function filesOf(known: EmailDetails): LetterFile[] {
  return known.attachments.flatMap(({ blobId, name, type, size }) =>
    blobId === null ? [] : [{ blobId, name: name || t("read.unnamed"), type, size }],
  );
}

/** RFC 5322 §3.6.4, §3.6.5. */
export function replyTo(email: Email, known: EmailDetails, all: boolean, own: string): Letter {
  const isOwn = (person: Person) => person.email.toLowerCase() === own.toLowerCase();
  const asked = known.replyTo?.length ? known.replyTo : (email.from ?? []);
  const to = asked.length > 0 && asked.every(isOwn) ? (email.to ?? []) : asked;
  const taken = new Set([own.toLowerCase(), ...to.map((person) => person.email.toLowerCase())]);
  const others = all
    ? [...(email.to ?? []), ...(known.cc ?? [])].filter((person) => !taken.has(person.email.toLowerCase()))
    : [];
  const quoted = textOf(known)
    .trimEnd()
    .split("\n")
    .map((line) => (line ? `> ${line}` : ">"));
  const name = email.from?.[0] ? nameOf(email.from[0]) : t("list.noSender");
  return {
    ...EMPTY,
    to: writePeople(to),
    cc: writePeople(others),
    subject: withPrefix("Re: ", /^(re|回复|答复)\s*[:：]/i, email.subject),
    text: `\n\n${t("compose.quote", { date: middleDate(known.sentAt ?? email.receivedAt), name })}\n${quoted.join("\n")}\n`,
    inReplyTo: known.messageId ?? [],
    references: [...(known.references ?? known.inReplyTo ?? []), ...(known.messageId ?? [])],
    about: { id: email.id, keyword: "$answered" },
  };
}

function forwardOf(email: Email, known: EmailDetails): Letter {
  const head = [
    t("compose.forwarded"),
    `${t("read.from")}: ${writePeople(email.from)}`,
    `${t("read.date")}: ${middleDate(known.sentAt ?? email.receivedAt)}`,
    `${t("compose.subject")}: ${email.subject ?? ""}`,
    `${t("read.toLabel")}: ${writePeople(email.to)}`,
  ];
  return {
    ...EMPTY,
    subject: withPrefix("Fwd: ", /^(fwd?|转发)\s*[:：]/i, email.subject),
    text: `\n\n${head.join("\n")}\n\n${textOf(known)}`,
    about: { id: email.id, keyword: "$forwarded" },
    files: filesOf(known),
  };
}

function withPrefix(prefix: string, known: RegExp, subject: string | null): string {
  return known.test(subject ?? "") ? (subject ?? "") : prefix + (subject ?? "");
}

export function textOf(known: EmailDetails): string {
  return known.textBody
    .map((part) => {
      const value = part.partId === null ? "" : (known.bodyValues[part.partId]?.value ?? "");
      return part.type === "text/html" ? textOfHtml(value) : part.type === "text/plain" ? value : "";
    })
    .join("\n");
}

export function isEmpty(letter: Letter): boolean {
  return (
    letter.files.length === 0 &&
    ![letter.to, letter.cc, letter.bcc, letter.subject, letter.text].some((part) => part.trim())
  );
}

export function emailOf(letter: Letter, from: Identity | undefined, drafts: Id, own: string): Record<string, unknown> {
  const people = (typed: string) => parsePeople(typed).people;
  return {
    mailboxIds: { [drafts]: true },
    keywords: { $draft: true, $seen: true },
    from: [{ name: from?.name || null, email: from?.email ?? own }],
    to: people(letter.to),
    cc: people(letter.cc),
    bcc: people(letter.bcc),
    subject: letter.subject,
    ...(letter.inReplyTo.length > 0 ? { inReplyTo: letter.inReplyTo } : {}),
    ...(letter.references.length > 0 ? { references: letter.references } : {}),
    textBody: [{ type: "text/plain", partId: "text" }],
    attachments: letter.files.map(({ blobId, name, type }) => ({ blobId, name, type, disposition: "attachment" })),
    bodyValues: { text: { value: letter.text } },
  };
}

export interface KeptDraft {
  readonly id: Id;
  /** The files as parts of the draft: those of the one before went with it. */
  readonly files: readonly LetterFile[];
}

/** Keep a letter as it stands. An email never changes, so a new one takes the place of the one before. */
export async function saveDraft(letter: Letter, own: string): Promise<KeptDraft> {
  const drafts = mailboxOf("drafts");
  if (drafts === undefined) throw new Error(t("done.noMailbox"));
  const answer = await requireClient().call<SetResponse>("Email/set", {
    create: { draft: emailOf(letter, identities.value[0], drafts.id, own) },
    ...(letter.draftId === null ? {} : { destroy: [letter.draftId] }),
  });
  const made = answer.created?.draft;
  if (made === undefined) {
    const refused = answer.notCreated?.draft;
    throw new Error(refused?.description ?? refused?.type ?? "serverFail");
  }
  if (letter.files.length === 0) return { id: made.id, files: [] };
  const got = await requireClient().call<GetResponse<{ attachments: readonly BodyPart[] }>>("Email/get", {
    ids: [made.id],
    properties: ["attachments"],
  });
  const parts = got.list[0]?.attachments ?? [];
  return {
    id: made.id,
    files: letter.files.map((file, at) => ({ ...file, blobId: parts[at]?.blobId ?? file.blobId })),
  };
}

export async function discardDraft(letter: Letter): Promise<void> {
  if (letter.draftId !== null) await requireClient().call<SetResponse>("Email/set", { destroy: [letter.draftId] });
}
