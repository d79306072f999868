/**
 * Sending: a submission (RFC 8621 §7.5) that the server holds for a moment or until a time (RFC 4865), and that can be taken
 * back until then.
 */
import { signal } from "@preact/signals";
import { t } from "../i18n/index.ts";
import type { GetResponse, Id, SetResponse } from "../jmap/types.ts";
import { emailOf, type Letter } from "./drafts.ts";
import { parsePeople } from "./people.ts";
import { canSend, identities, mailboxOf, refresh, requireClient } from "./store.ts";

export const UNDO_SECONDS = [0, 5, 10, 20, 30] as const;

const STORED = "hongyan.undo";

/** For how long a letter can be taken back. */
export const undoSeconds = signal<number>(storedSeconds());

export function setUndoSeconds(seconds: number): void {
  undoSeconds.value = seconds;
  try {
    localStorage.setItem(STORED, String(seconds));
  } catch {
    // It holds until the page is left.
  }
}

export interface Sent {
  readonly emailId: Id;
  readonly submissionId: Id;
}

/** Draft and submission in one request; the draft becomes the sent message. `at`: not before then. */
export async function sendLetter(letter: Letter, own: string, at: Date | null): Promise<Sent> {
  const [drafts, sent, identity] = [mailboxOf("drafts"), mailboxOf("sent"), identities.value[0]];
  if (!canSend() || identity === undefined || drafts === undefined) throw new Error(t("compose.cannotSend"));
  const request = requireClient().batch();
  const made = request.add<SetResponse>("Email/set", {
    create: { letter: emailOf(letter, identity, drafts.id, own) },
    ...(letter.about === null ? {} : { update: { [letter.about.id]: { [`keywords/${letter.about.keyword}`]: true } } }),
  });
  const filed = sent === undefined ? {} : { [`mailboxIds/${drafts.id}`]: null, [`mailboxIds/${sent.id}`]: true };
  const submitted = request.add<SetResponse>("EmailSubmission/set", {
    create: { sending: { emailId: "#letter", identityId: identity.id, ...held(letter, identity.email, at) } },
    onSuccessUpdateEmail: { "#sending": { ...filed, "keywords/$draft": null } },
  });
  await request.send();
  const [email, submission] = [await made.answer, await submitted.answer.catch(() => undefined)];
  const refused = email.notCreated?.letter ?? submission?.notCreated?.sending;
  const [emailId, submissionId] = [email.created?.letter?.id, submission?.created?.sending?.id];
  // What was refused lies among the drafts twice for a moment: the new one goes, what was saved stays.
  const over = refused !== undefined || submissionId === undefined ? emailId : (letter.draftId ?? undefined);
  if (over !== undefined) await requireClient().call<SetResponse>("Email/set", { destroy: [over] });
  if (emailId === undefined || submissionId === undefined) throw new Error(refusalOf(refused));
  void refresh();
  return { emailId, submissionId };
}

function refusalOf(refused: { type: string; description?: string } | undefined): string {
  return refused?.description ?? refused?.type ?? "serverFail";
}

function held(letter: Letter, from: string, at: Date | null): Record<string, unknown> {
  const parameters =
    at !== null
      ? { HOLDUNTIL: at.toISOString().replace(/\.\d+Z$/, "Z") }
      : undoSeconds.peek() > 0
        ? { HOLDFOR: String(undoSeconds.peek()) }
        : null;
  if (parameters === null) return {};
  const { people } = parsePeople([letter.to, letter.cc, letter.bcc].join(","));
  const rcptTo = [...new Set(people.map(({ email }) => email))].map((email) => ({ email, parameters: null }));
  return { envelope: { mailFrom: { email: from, parameters }, rcptTo } };
}

/** Take a letter back: it is a draft again. False when it was too late. */
export async function takeBack({ emailId, submissionId }: Sent): Promise<boolean> {
  const [drafts, sent] = [mailboxOf("drafts"), mailboxOf("sent")];
  const answer = await requireClient().call<SetResponse>("EmailSubmission/set", {
    update: { [submissionId]: { undoStatus: "canceled" } },
    onSuccessUpdateEmail: {
      [submissionId]: {
        ...(drafts === undefined ? {} : { [`mailboxIds/${drafts.id}`]: true }),
        ...(sent === undefined ? {} : { [`mailboxIds/${sent.id}`]: null }),
        "keywords/$draft": true,
      },
    },
  });
  await refresh();
  return answer.notUpdated?.[submissionId] === undefined && emailId !== "";
}

export interface Pending extends Sent {
  readonly sendAt: string;
}

/** Return the submission of an email that still waits, if one does. */
export async function findPending(emailId: Id): Promise<Pending | null> {
  if (!canSend()) return null;
  const request = requireClient().batch();
  const query = request.add<{ ids: readonly Id[] }>("EmailSubmission/query", {
    filter: { emailIds: [emailId], undoStatus: "pending" },
  });
  const found = request.add<GetResponse<{ id: Id; sendAt: string }>>("EmailSubmission/get", {
    "#ids": query.at("/ids"),
    properties: ["id", "sendAt"],
  });
  await request.send();
  const one = (await found.answer).list[0];
  return one === undefined ? null : { emailId, submissionId: one.id, sendAt: one.sendAt };
}

function storedSeconds(): number {
  try {
    const stored = localStorage.getItem(STORED);
    const seconds = stored === null ? 10 : Number(stored);
    return (UNDO_SECONDS as readonly number[]).includes(seconds) ? seconds : 10;
  } catch {
    return 10;
  }
}
