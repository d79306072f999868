/** What pages of settings are made of. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { t } from "../i18n/index.ts";
import { toast } from "../mail/acts.ts";
import { Icon } from "../ui/icons.tsx";
import type { Loaded } from "./load.ts";

export function Card(props: { title: string; hint?: string; children: ComponentChildren; end?: ComponentChildren }) {
  return (
    <section class="card">
      <header class="card-head">
        <div>
          <h2>{props.title}</h2>
          {props.hint && <p class="hint">{props.hint}</p>}
        </div>
        {props.end}
      </header>
      {props.children}
    </section>
  );
}

export function Trouble({ text }: { text: string }) {
  return <div role="alert">{text && <p class="trouble">{text}</p>}</div>;
}

/** What waits for the server: words while it waits, the trouble with a way to try again, then the page. */
export function Awaited<Value>(props: { of: Loaded<Value>; children: (value: Value) => ComponentChildren }) {
  const { value, trouble, reload } = props.of;
  if (value !== null) return <>{props.children(value)}</>;
  if (!trouble) return <p class="hint waiting">{t("read.loading")}</p>;
  return (
    <div class="waiting">
      <Trouble text={trouble} />
      <button type="button" class="secondary" onClick={() => void reload()}>
        {t("app.retry")}
      </button>
    </div>
  );
}

export function Toggle(props: {
  label: string;
  hint?: string;
  isOn: boolean;
  isBusy?: boolean;
  onChange: (on: boolean) => void;
}) {
  return (
    <label class="toggle">
      <span>
        <span class="toggle-label">{props.label}</span>
        {props.hint && <span class="hint">{props.hint}</span>}
      </span>
      <input
        type="checkbox"
        role="switch"
        checked={props.isOn}
        disabled={props.isBusy ?? false}
        onChange={(event) => {
          const wanted = event.currentTarget.checked;
          event.currentTarget.checked = props.isOn;
          props.onChange(wanted);
        }}
      />
      <span class="toggle-track" aria-hidden="true" />
    </label>
  );
}

export function CopyButton({ text, what }: { text: string; what: string }) {
  const isDone = useSignal(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      toast.value = { text: t("copy.failed") };
      return;
    }
    isDone.value = true;
    toast.value = { text: t("copy.done", { what }) };
  };
  return (
    <button
      type="button"
      class="icon-button"
      aria-label={t("copy.it", { what })}
      title={t("copy.it", { what })}
      onClick={() => void copy()}
    >
      <Icon name={isDone.value ? "check" : "copy"} size={18} />
    </button>
  );
}

/** A drawing that the server sent as SVG: shown as a picture, so that nothing in it can run. */
export function Drawing({ svg, label }: { svg: string; label: string }) {
  const address = useMemo(() => URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" })), [svg]);
  useEffect(() => () => URL.revokeObjectURL(address), [address]);
  return <img class="drawing" src={address} alt={label} />;
}

/** A button whose act cannot be undone: it asks first. */
export function Risky(props: { label: string; question: string; act: string; isBusy?: boolean; onAct: () => void }) {
  const isAsked = useSignal(false);
  return (
    <>
      <button
        type="button"
        class="secondary danger"
        disabled={props.isBusy ?? false}
        onClick={() => {
          isAsked.value = true;
        }}
      >
        {props.label}
      </button>
      {isAsked.value && (
        <Question
          text={props.question}
          act={props.act}
          onEnd={(isWanted) => {
            isAsked.value = false;
            if (isWanted) props.onAct();
          }}
        />
      )}
    </>
  );
}

function Question(props: { text: string; act: string; onEnd: (isWanted: boolean) => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      class="ask"
      aria-label={props.text}
      onCancel={(event) => {
        event.preventDefault();
        props.onEnd(false);
      }}
    >
      <p>{props.text}</p>
      <div class="ask-foot">
        <button type="button" class="secondary" onClick={() => props.onEnd(false)}>
          {t("ask.cancel")}
        </button>
        <button type="button" class="primary is-danger" onClick={() => props.onEnd(true)}>
          {props.act}
        </button>
      </div>
    </dialog>
  );
}
