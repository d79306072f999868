/** The dialog before something risky: the password again, or a code where the account has a second factor. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { standing, stepUp } from "../api/session.ts";
import { t } from "../i18n/index.ts";
import { Field } from "../ui/field.tsx";
import { useForm } from "../ui/form.ts";
import { waiting } from "./proving.ts";

export function ProveDialog() {
  return waiting.value === null ? null : <Asking />;
}

function Asking() {
  const dialog = useRef<HTMLDialogElement>(null);
  const said = useSignal("");
  const hasFactor = standing.value.at === "inside" && standing.value.session.has_second_factor;
  const field = hasFactor ? "code" : "password";
  const form = useForm([field]);
  useEffect(() => dialog.current?.showModal(), []);
  const submit = () =>
    form.submit({ [field]: said.value ? undefined : hasFactor ? "login.needCode" : "login.needPassword" }, async () => {
      await stepUp({ [field]: hasFactor ? said.value.trim() : said.value });
      waiting.value?.proven();
    });
  return (
    <dialog
      ref={dialog}
      class="ask"
      aria-labelledby="prove-title"
      onCancel={(event) => {
        event.preventDefault();
        waiting.value?.cancelled();
      }}
    >
      <form
        ref={form.root}
        noValidate
        aria-busy={form.isBusy}
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <h2 id="prove-title">{t("prove.title")}</h2>
        <p class="hint">{t(hasFactor ? "prove.codeHint" : "prove.passwordHint")}</p>
        <div role="alert">{form.trouble && <p class="trouble">{form.trouble}</p>}</div>
        <Field label={t(hasFactor ? "login.code" : "login.password")} error={form.errorOf(field)}>
          {(props) => (
            <input
              {...props}
              name={field}
              class={hasFactor ? "code" : ""}
              {...(hasFactor
                ? { type: "text" as const, inputMode: "numeric" as const, autocomplete: "one-time-code" as const }
                : { type: "password" as const, autocomplete: "current-password" as const })}
              value={said.value}
              onInput={(event) => {
                said.value = event.currentTarget.value;
              }}
            />
          )}
        </Field>
        <div class="ask-foot">
          <button type="button" class="secondary" onClick={() => waiting.value?.cancelled()}>
            {t("ask.cancel")}
          </button>
          <button type="submit" class="primary" disabled={form.isBusy}>
            {t("login.confirm")}
          </button>
        </div>
      </form>
    </dialog>
  );
}
