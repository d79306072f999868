/** A conversation, oldest message first; those read before are folded. Text is shown as text: nothing in it is markup. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { standing } from "../api/session.ts";
import { middleDate, shortDate, t, wholeDate } from "../i18n/index.ts";
import type { Email, EmailDetails, Id, Person } from "../jmap/types.ts";
import { isStarred, isUnread, markRead, star, toast } from "../mail/acts.ts";
import { composeAnswer, composeDraft, textOf } from "../mail/drafts.ts";
import { initialsOf, nameOf, shortName, tintOf, writePeople } from "../mail/people.ts";
import { go, place } from "../mail/place.ts";
import { findPending, type Pending, takeBack } from "../mail/sending.ts";
import { emailSignal, loadDetails, loadThread, mailboxOf, requireClient, rows, threadSignal } from "../mail/store.ts";
import { loadShown, type Shown } from "../mail/shown.ts";
import { pieces, splitQuote } from "../mail/text.ts";
import { ActBar } from "./actbar.tsx";
import { Attachments } from "./attachments.tsx";
import { MessageFrame } from "./frame.tsx";
import { Icon } from "./icons.tsx";
import { originSentence, Warnings } from "./warnings.tsx";

export function ReadingPane() {
  const { threadId } = place.value;
  return (
    <main class="reading" tabIndex={-1}>
      {threadId === null ? <Nothing /> : <Thread key={threadId} threadId={threadId} />}
    </main>
  );
}

function Nothing() {
  return (
    <div class="empty">
      <Icon name="mail" size={44} />
      <p>{t("read.none")}</p>
      <p class="hint wide-only">{t("read.noneHint")}</p>
    </div>
  );
}

/** The row of the list that stands for a conversation; without one its newest message does. */
export function rowOf(threadId: Id): Id | undefined {
  const shown = rows.peek().ids.find((id) => id !== undefined && emailSignal(id).peek()?.threadId === threadId);
  return shown ?? threadSignal(threadId).peek().at(-1);
}

function Thread({ threadId }: { threadId: Id }) {
  const failed = useSignal(false);
  const unfolded = useSignal<ReadonlySet<Id>>(new Set());
  const ids = threadSignal(threadId).value;
  const messages = ids.map((id) => emailSignal(id).value).filter((email) => email !== undefined);

  useEffect(() => {
    if (threadSignal(threadId).peek().length === 0)
      void loadThread(threadId).catch(() => {
        failed.value = true;
      });
  }, [threadId]);
  const isThere = messages.length > 0;
  useEffect(() => {
    if (!isThere) return;
    const fresh = messages.filter(isUnread).map(({ id }) => id);
    unfolded.value = new Set([...fresh, ...(messages.at(-1) ? [messages.at(-1)?.id ?? ""] : [])]);
    const row = rowOf(threadId);
    if (row !== undefined && fresh.length > 0) markRead([row], true);
  }, [threadId, isThere]);

  if (failed.value) return <p class="empty">{t("read.failed")}</p>;
  const last = messages.at(-1);
  const row = rowOf(threadId);
  if (last === undefined || row === undefined) return <p class="empty">{t("read.loading")}</p>;
  const toggle = (id: Id) => {
    const next = new Set(unfolded.value);
    if (!next.delete(id)) next.add(id);
    unfolded.value = next;
  };
  return (
    <article class="thread">
      <header class="thread-bar">
        <button
          type="button"
          class="icon-button back"
          aria-label={t("read.back")}
          onClick={() => go({ threadId: null })}
        >
          <Icon name="arrowLeft" />
        </button>
        <ActBar ids={[row]} onLeave={() => go({ threadId: null }, true)} />
      </header>
      <div class="thread-scroll">
        <h1 class="thread-subject">{messages[0]?.subject || t("list.noSubject")}</h1>
        {messages.map((email) =>
          unfolded.value.has(email.id) ? (
            <Message key={email.id} email={email} onFold={() => toggle(email.id)} />
          ) : (
            <Folded key={email.id} email={email} onOpen={() => toggle(email.id)} />
          ),
        )}
        <AnswerBar email={last} />
      </div>
    </article>
  );
}

function Face({ person }: { person: Person }) {
  return (
    <span class={`avatar tint-${tintOf(person)}`} aria-hidden="true">
      {initialsOf(person)}
    </span>
  );
}

const nobody: Person = { name: null, email: "?" };

function Folded({ email, onOpen }: { email: Email; onOpen: () => void }) {
  const person = email.from?.[0] ?? nobody;
  return (
    <button type="button" class="message folded" onClick={onOpen}>
      <Face person={person} />
      <span class="folded-name">{shortName(person)}</span>
      <span class="folded-preview">{email.preview}</span>
      <time class="row-date" dateTime={email.receivedAt}>
        {shortDate(email.receivedAt)}
      </time>
    </button>
  );
}

function Message({ email, onFold }: { email: Email; onFold: () => void }) {
  const known = useSignal<EmailDetails | null>(null);
  const shown = useSignal<Shown | null>(null);
  const failed = useSignal(false);
  const isDetailed = useSignal(false);
  useEffect(() => {
    loadShown(email.id).then(
      (found) => {
        shown.value = found;
      },
      () => undefined, // The text is shown without what is told beside it.
    );
    loadDetails(email.id).then(
      (found) => {
        known.value = found;
      },
      () => {
        failed.value = true;
      },
    );
  }, [email.id]);
  const person = email.from?.[0] ?? nobody;
  const own = standing.value.at === "inside" ? standing.value.session.address : "";
  const say = (people: readonly Person[] | null) =>
    (people ?? []).map((each) => (each.email === own ? t("read.me") : shortName(each))).join(t("list.and"));
  const starred = isStarred(email);
  return (
    <section class="message" aria-label={nameOf(person)}>
      <header class="message-head">
        <Face person={person} />
        <div class="message-who">
          <button type="button" class="message-from" onClick={onFold}>
            {nameOf(person)}
            {person.name && <span class="message-address">{person.email}</span>}
          </button>
          <button
            type="button"
            class="message-to"
            aria-expanded={isDetailed.value}
            onClick={() => {
              isDetailed.value = !isDetailed.value;
            }}
          >
            {t("read.to", { names: say(email.to) || "—" })}
            {known.value?.cc?.length ? ` · ${t("read.cc", { names: say(known.value.cc) })}` : ""}
            <Icon name="chevronDown" size={14} />
          </button>
        </div>
        <time class="row-date" dateTime={email.receivedAt} title={wholeDate(email.receivedAt)}>
          {middleDate(email.receivedAt)}
        </time>
        <button
          type="button"
          class={`icon-button ${starred ? "starred" : ""}`}
          aria-label={t(starred ? "act.unstar" : "act.star")}
          aria-pressed={starred}
          onClick={() => star([email.id], !starred)}
        >
          <Icon name="star" filled={starred} />
        </button>
      </header>
      <WaitingNote email={email} />
      {isDetailed.value && <Details email={email} known={known.value} shown={shown.value} />}
      {failed.value && <p class="trouble">{t("read.failed")}</p>}
      {known.value === null ? (
        !failed.value && <p class="hint body">{t("read.loading")}</p>
      ) : (
        <Body known={known.value} shown={shown.value} />
      )}
      {shown.value !== null && <Attachments email={email.id} all={shown.value.attachments} />}
      {"$draft" in email.keywords && (
        <button type="button" class="secondary" onClick={() => void composeDraft(email)}>
          <Icon name="compose" size={18} />
          {t("act.edit")}
        </button>
      )}
    </section>
  );
}

function Details(props: { email: Email; known: EmailDetails | null; shown: Shown | null }) {
  const { email, known, shown } = props;
  const lines: [string, string][] = [
    [t("read.from"), writePeople(email.from)],
    [t("read.toLabel"), writePeople(email.to)],
    [t("read.ccLabel"), writePeople(known?.cc)],
    [t("read.bccLabel"), writePeople(known?.bcc)],
    [t("read.date"), wholeDate(known?.sentAt ?? email.receivedAt)],
    [t("read.origin"), shown === null ? "" : originSentence(shown)],
  ];
  return (
    <>
      <dl class="details">
        {lines
          .filter(([, value]) => value)
          .map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
      </dl>
      <div class="details-acts">
        <a class="link" href={sourceUrl(email, "text/plain", false)} target="_blank" rel="noopener noreferrer">
          {t("read.source")}
        </a>
        <a class="link" href={sourceUrl(email, "message/rfc822", true)} download={`${email.subject || email.id}.eml`}>
          {t("read.eml")}
        </a>
        <button type="button" class="link" onClick={() => window.print()}>
          {t("read.print")}
        </button>
      </div>
    </>
  );
}

function sourceUrl(email: Email, type: string, isFile: boolean): string {
  return requireClient().downloadUrl(email.blobId, isFile ? `${email.subject || email.id}.eml` : "source.txt", type);
}

/** Mail of HTML lies in its frame; plain text is text of the page itself. */
function Body({ known, shown }: { known: EmailDetails; shown: Shown | null }) {
  const hasPictures = useSignal(false);
  const isPlain = useSignal(known.htmlBody.every(({ type }) => type !== "text/html"));
  if (isPlain.value)
    return (
      <>
        {shown !== null && <Warnings shown={shown} hasPictures onShow={() => undefined} />}
        <PlainBody known={known} />
      </>
    );
  if (shown === null) return <p class="hint body">{t("read.loading")}</p>;
  return (
    <>
      <Warnings
        shown={shown}
        hasPictures={hasPictures.value}
        onShow={() => {
          hasPictures.value = true;
        }}
      />
      <div class="body is-paper">
        <MessageFrame
          address={hasPictures.value ? shown.frame_with_pictures : shown.frame}
          onFailure={() => {
            isPlain.value = true;
          }}
        />
      </div>
    </>
  );
}

function PlainBody({ known }: { known: EmailDetails }) {
  const isWhole = useSignal(false);
  const text = textOf(known).replace(/\r\n/g, "\n").trimEnd();
  if (!text) return <p class="hint body">{t("read.emptyBody")}</p>;
  const { own, quoted } = splitQuote(text);
  return (
    <div class="body">
      <Text text={own} />
      {quoted && (
        <button
          type="button"
          class="quote-toggle"
          aria-expanded={isWhole.value}
          aria-label={t("menu.more")}
          onClick={() => {
            isWhole.value = !isWhole.value;
          }}
        >
          <Icon name="more" size={18} />
        </button>
      )}
      {quoted && isWhole.value && <Text text={quoted} quoted />}
      {Object.values(known.bodyValues).some(({ isTruncated }) => isTruncated) && (
        <p class="hint">{t("read.truncated")}</p>
      )}
    </div>
  );
}

function Text({ text, quoted = false }: { text: string; quoted?: boolean }) {
  const parts: ComponentChildren[] = pieces(text).map((piece, index) =>
    piece.href === null ? (
      piece.text
    ) : (
      <a key={index} href={piece.href} target="_blank" rel="noopener noreferrer nofollow">
        {piece.text}
      </a>
    ),
  );
  return <div class={`text ${quoted ? "quoted" : ""}`}>{parts}</div>;
}

/** A letter that is to be sent later, and can be taken back. */
function WaitingNote({ email }: { email: Email }) {
  const pending = useSignal<Pending | null>(null);
  const sent = mailboxOf("sent");
  const isOurs = sent !== undefined && sent.id in email.mailboxIds;
  useEffect(() => {
    if (!isOurs) return;
    findPending(email.id).then(
      (found) => {
        pending.value = found;
      },
      () => undefined,
    );
  }, [email.id, isOurs]);
  const { value } = pending;
  if (value === null) return null;
  return (
    <div class="warning is-quiet">
      <Icon name="clock" size={18} />
      <p>
        {t("done.scheduled", { date: middleDate(value.sendAt) })}{" "}
        <button
          type="button"
          class="link"
          onClick={() => {
            pending.value = null;
            void takeBack(value).then((isBack) => {
              toast.value = { text: t(isBack ? "done.takenBack" : "compose.tooLate") };
            });
          }}
        >
          {t("compose.takeBack")}
        </button>
      </p>
    </div>
  );
}

function AnswerBar({ email }: { email: Email }) {
  const own = standing.value.at === "inside" ? standing.value.session.address : "";
  return (
    <div class="answers">
      <button type="button" class="secondary" onClick={() => void composeAnswer(email, "reply", own)}>
        <Icon name="reply" size={18} />
        {t("act.reply")}
      </button>
      <button type="button" class="secondary" onClick={() => void composeAnswer(email, "all", own)}>
        <Icon name="replyAll" size={18} />
        {t("act.replyAll")}
      </button>
      <button type="button" class="secondary" onClick={() => void composeAnswer(email, "forward", own)}>
        <Icon name="forward" size={18} />
        {t("act.forward")}
      </button>
    </div>
  );
}
