/** Writing: a window beside the mail on a wide screen, the whole of a narrow one. Nothing typed is lost. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { standing } from "../api/session.ts";
import { type Key, middleDate, t } from "../i18n/index.ts";
import type { Id } from "../jmap/types.ts";
import { toast } from "../mail/acts.ts";
import { composing, discardDraft, isEmpty, type Letter, saveDraft } from "../mail/drafts.ts";
import { forgetsFile, sentenceOf, upload, uploads } from "../mail/files.ts";
import { parsePeople } from "../mail/people.ts";
import { type Sent, sendLetter, takeBack, undoSeconds } from "../mail/sending.ts";
import { canSend, emailSignal, refresh } from "../mail/store.ts";
import { ComposeFiles } from "./composefiles.tsx";
import { Icon } from "./icons.tsx";
import { SendMenu } from "./sendmenu.tsx";

const QUIET_MS = 1200;

type Saving = "clean" | "dirty" | "saving" | "saved";
const SAYS: Partial<Record<Saving, Key>> = {
  dirty: "compose.notSaved",
  saving: "compose.saving",
  saved: "compose.saved",
};

export function ComposeDialog({ first }: { first: Letter }) {
  const letter = useSignal(first);
  const saving = useSignal<Saving>("clean");
  const error = useSignal("");
  const isSending = useSignal(false);
  const isWarned = useSignal(false);
  const isOver = useSignal(false);
  const chooser = useRef<HTMLInputElement>(null);
  const hasCc = useSignal(first.cc !== "" || first.bcc !== "");
  const root = useRef<HTMLElement>(null);
  const draft = useRef<{ id: Id | null; under: Promise<void> }>({ id: first.draftId, under: Promise.resolve() });
  const own = standing.value.at === "inside" ? standing.value.session.address : "";

  const save = () => {
    const now = letter.peek();
    if (isEmpty(now) || saving.peek() !== "dirty") return draft.current.under;
    saving.value = "saving";
    draft.current.under = draft.current.under.then(async () => {
      try {
        const kept = await saveDraft({ ...now, draftId: draft.current.id }, own);
        draft.current.id = kept.id;
        if (letter.peek() === now) {
          letter.value = { ...now, files: kept.files };
          saving.value = "saved";
        } else if (letter.peek().files === now.files) {
          letter.value = { ...letter.peek(), files: kept.files };
          saving.value = "dirty";
        } else saving.value = "dirty";
      } catch {
        saving.value = "dirty";
      }
    });
    return draft.current.under;
  };
  const change = (part: Partial<Letter>) => {
    letter.value = { ...letter.peek(), ...part };
    saving.value = "dirty";
    error.value = "";
    isWarned.value = false;
  };
  const add = (files: Iterable<File>) => {
    for (const file of files)
      void upload(file).then((sent) => {
        if (sent !== null) change({ files: [...letter.peek().files, sent] });
      });
  };
  useEffect(() => {
    if (saving.value !== "dirty") return undefined;
    const timer = setTimeout(() => void save(), QUIET_MS);
    return () => clearTimeout(timer);
  }, [letter.value, saving.value]);
  useEffect(() => {
    const text = root.current?.querySelector("textarea");
    if (first.to && text) {
      text.focus();
      text.setSelectionRange(0, 0);
    } else root.current?.querySelector("input")?.focus();
  }, []);

  useEffect(
    () => () => {
      for (const each of uploads.peek()) each.stop();
      // The session ended meanwhile: after the login it is written on where it was left.
      if (composing.peek() !== null) composing.value = { ...letter.peek(), draftId: draft.current.id };
    },
    [],
  );

  const close = async () => {
    await save();
    composing.value = null;
    if (draft.current.id !== null) {
      toast.value = { text: t("done.draftSaved") };
      void refresh();
    }
  };
  const discard = async () => {
    composing.value = null;
    await draft.current.under;
    await discardDraft({ ...letter.peek(), draftId: draft.current.id }).catch(() => undefined);
    toast.value = { text: t("done.draftDiscarded") };
    void refresh();
  };
  const send = async (at: Date | null = null) => {
    const now = letter.peek();
    const all = parsePeople([now.to, now.cc, now.bcc].join(","));
    if (all.wrong[0] !== undefined) error.value = t("compose.badAddress", { address: all.wrong[0] });
    else if (all.people.length === 0) error.value = t("compose.needRecipient");
    if (error.value) {
      root.current?.querySelector("input")?.focus();
      return;
    }
    if (uploads.peek().some(({ failed }) => !failed)) {
      error.value = t("compose.stillUploading");
      return;
    }
    if (!isWarned.peek() && forgetsFile(now.text, now.subject, now.files.length)) {
      isWarned.value = true;
      return;
    }
    isSending.value = true;
    try {
      await draft.current.under;
      const sent = await sendLetter({ ...letter.peek(), draftId: draft.current.id }, own, at);
      composing.value = null;
      tellSent(sent, at, { ...letter.peek(), draftId: sent.emailId });
    } catch (failed) {
      await save();
      error.value = sentenceOf(failed, t("login.unreachable"), (reference) => t("login.reference", { reference }));
    } finally {
      isSending.value = false;
    }
  };

  const line = (name: "to" | "cc" | "bcc" | "subject", label: Key) => (
    <div class="compose-line">
      <label for={`compose-${name}`}>{t(label)}</label>
      <input
        id={`compose-${name}`}
        type="text"
        autocomplete="off"
        autocapitalize="none"
        spellcheck={name === "subject"}
        aria-describedby={error.value ? "compose-error" : undefined}
        value={letter.value[name]}
        onInput={(event) => change({ [name]: event.currentTarget.value })}
      />
      {name === "to" && !hasCc.value && (
        <button
          type="button"
          class="link"
          onClick={() => {
            hasCc.value = true;
          }}
        >
          {t("compose.showCc")}
        </button>
      )}
    </div>
  );
  const said = SAYS[saving.value];
  return (
    <section
      class="compose"
      role="dialog"
      aria-label={t("compose.title")}
      ref={root}
      data-over={isOver.value}
      onDragOver={(event) => {
        if (!event.dataTransfer?.types.includes("Files")) return;
        event.preventDefault();
        isOver.value = true;
      }}
      onDragLeave={() => {
        isOver.value = false;
      }}
      onDrop={(event) => {
        isOver.value = false;
        if (!event.dataTransfer?.files.length) return;
        event.preventDefault();
        add(event.dataTransfer.files);
      }}
      onPaste={(event) => {
        if (!event.clipboardData?.files.length) return;
        event.preventDefault();
        add(event.clipboardData.files);
      }}
      onKeyDown={(event) => {
        if (event.isComposing) return;
        if (event.key === "Escape") void close();
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void send();
      }}
    >
      <header class="compose-head">
        <h2>{letter.value.subject || t("compose.title")}</h2>
        <span class="compose-saved" role="status">
          {said ? t(said) : ""}
        </span>
        <button type="button" class="icon-button" aria-label={t("menu.close")} onClick={() => void close()}>
          <Icon name="close" />
        </button>
      </header>
      {line("to", "compose.to")}
      {hasCc.value && line("cc", "compose.cc")}
      {hasCc.value && line("bcc", "compose.bcc")}
      {line("subject", "compose.subject")}
      <textarea
        class="compose-text"
        aria-label={t("compose.body")}
        value={letter.value.text}
        onInput={(event) => change({ text: event.currentTarget.value })}
      />
      <ComposeFiles
        files={letter.value.files}
        onRemove={(at) => change({ files: letter.peek().files.filter((_, each) => each !== at) })}
      />
      <div role="alert">
        {error.value && (
          <p class="trouble" id="compose-error">
            {error.value}
          </p>
        )}
        {!error.value && isWarned.value && (
          <p class="notice">
            {t("compose.forgotten")}{" "}
            <button type="button" class="link" onClick={() => void send()}>
              {t("compose.sendAnyway")}
            </button>
          </p>
        )}
        {!error.value && !canSend() && <p class="notice">{t("compose.cannotSend")}</p>}
      </div>
      <footer class="compose-foot">
        <button
          type="button"
          class="primary"
          disabled={isSending.value || !canSend()}
          title="Ctrl+Enter"
          onClick={() => void send()}
        >
          <Icon name="sent" size={18} />
          {t(isSending.value ? "compose.sending" : "compose.send")}
        </button>
        <SendMenu isDisabled={isSending.value || !canSend()} onSend={(at) => void send(at)} />
        <button
          type="button"
          class="icon-button"
          aria-label={t("compose.attach")}
          title={t("compose.attach")}
          onClick={() => chooser.current?.click()}
        >
          <Icon name="attachment" />
        </button>
        <input
          ref={chooser}
          class="visually-hidden"
          type="file"
          multiple
          tabIndex={-1}
          aria-label={t("compose.attach")}
          onChange={(event) => {
            add(event.currentTarget.files ?? []);
            event.currentTarget.value = "";
          }}
        />
        <button type="button" class="icon-button push" aria-label={t("compose.discard")} onClick={() => void discard()}>
          <Icon name="trash" />
        </button>
      </footer>
    </section>
  );
}

/** Say that it is sent, with a way back while there is one. */
function tellSent(sent: Sent, at: Date | null, letter: Letter): void {
  const seconds = at === null ? undoSeconds.peek() : 10;
  const undo = async () => {
    toast.value = null;
    try {
      if (await takeBack(sent)) {
        if (emailSignal(sent.emailId).peek() === undefined) await refresh();
        composing.value = letter;
      } else toast.value = { text: t("compose.tooLate") };
    } catch (failed) {
      toast.value = { text: t("done.failed", { reason: (failed as Error).message }) };
    }
  };
  const text = at === null ? t("done.sent") : t("done.scheduled", { date: middleDate(at.toISOString()) });
  toast.value = seconds > 0 ? { text, undo: () => void undo(), lasts: seconds * 1000 } : { text };
}
