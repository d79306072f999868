/** The first page: address and password, then the second factor where the account has one. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { logIn, logOut, showSecondFactor, standing } from "../api/session.ts";
import { type Key, t } from "../i18n/index.ts";
import { Check, Field } from "./field.tsx";
import { type Form, useForm } from "./form.ts";
import { Goose, Icon } from "./icons.tsx";
import { LanguageSwitch, ThemeSwitch } from "./switches.tsx";

export function LoginPage() {
  const asksCode = standing.value.at === "second-factor";
  return (
    <div class="login">
      <main class="login-card">
        <header class="login-head">
          <Goose size={52} />
          <div>
            <p class="login-name">{t("app.name")}</p>
            <p class="login-tagline">{t("app.tagline")}</p>
          </div>
        </header>
        {asksCode ? <CodeForm /> : <PasswordForm />}
      </main>
      <footer class="login-foot">
        <LanguageSwitch />
        <ThemeSwitch />
      </footer>
    </div>
  );
}

function PasswordForm() {
  const address = useSignal(localAddress());
  const password = useSignal("");
  const remember = useSignal(true);
  const isShown = useSignal(false);
  const form = useForm(["name", "password"]);

  const submit = () =>
    form.submit(
      {
        name: address.value.trim() ? undefined : "login.needAddress",
        password: password.value ? undefined : "login.needPassword",
      },
      async () => {
        await logIn(address.value.trim(), password.value, remember.value);
        keepAddress(address.value.trim());
      },
    );
  const ended = standing.value.at === "outside" && standing.value.ended;

  return (
    <LoginForm
      title="login.title"
      form={form}
      onSubmit={submit}
      submit="login.submit"
      notice={ended ? t("login.ended") : ""}
    >
      <Field label={t("login.address")} error={form.errorOf("name")}>
        {(props) => (
          <input
            {...props}
            name="username"
            type="email"
            autocomplete="username"
            autocapitalize="none"
            spellcheck={false}
            value={address.value}
            onInput={(event) => {
              address.value = event.currentTarget.value;
            }}
          />
        )}
      </Field>
      <Field label={t("login.password")} error={form.errorOf("password")}>
        {(props) => (
          <span class="with-button">
            <input
              {...props}
              name="password"
              {...(isShown.value ? { type: "text" as const } : { type: "password" as const })}
              autocomplete="current-password"
              value={password.value}
              onInput={(event) => {
                password.value = event.currentTarget.value;
              }}
            />
            <button
              type="button"
              class="icon-button"
              aria-label={t(isShown.value ? "login.hidePassword" : "login.showPassword")}
              onClick={() => {
                isShown.value = !isShown.value;
              }}
            >
              <Icon name={isShown.value ? "eyeOff" : "eye"} />
            </button>
          </span>
        )}
      </Field>
      <Check label={t("login.remember")} isOn={remember.value} onChange={(on) => (remember.value = on)} />
    </LoginForm>
  );
}

function CodeForm() {
  const code = useSignal("");
  const bind = useSignal(false);
  const form = useForm(["code"]);
  const submit = () =>
    form.submit({ code: code.value.trim() ? undefined : "login.needCode" }, () =>
      showSecondFactor(code.value.trim(), bind.value),
    );
  return (
    <LoginForm title="login.codeTitle" form={form} onSubmit={submit} submit="login.confirm" notice="">
      <p class="hint">{t("login.codeHint")}</p>
      <Field label={t("login.code")} error={form.errorOf("code")}>
        {(props) => (
          <input
            {...props}
            class="code"
            name="code"
            autocomplete="one-time-code"
            inputMode="numeric"
            value={code.value}
            onInput={(event) => {
              code.value = event.currentTarget.value;
            }}
          />
        )}
      </Field>
      <Check label={t("login.bind")} isOn={bind.value} onChange={(on) => (bind.value = on)} />
      <button type="button" class="link" onClick={() => void logOut()}>
        {t("login.back")}
      </button>
    </LoginForm>
  );
}

function LoginForm(props: {
  title: Key;
  submit: Key;
  notice: string;
  form: Form;
  onSubmit: () => void;
  children: ComponentChildren;
}) {
  const { form } = props;
  return (
    <form
      ref={form.root}
      class="login-form"
      method="post"
      noValidate
      aria-busy={form.isBusy}
      onSubmit={(event) => {
        event.preventDefault();
        props.onSubmit();
      }}
    >
      <h1>{t(props.title)}</h1>
      {props.notice && <p class="notice">{props.notice}</p>}
      <div role="alert">{form.trouble && <p class="trouble">{form.trouble}</p>}</div>
      {props.children}
      <button type="submit" class="primary wide" disabled={form.isBusy}>
        {t(props.submit)}
      </button>
    </form>
  );
}

const ADDRESS = "hongyan.address";

function localAddress(): string {
  try {
    return localStorage.getItem(ADDRESS) ?? "";
  } catch {
    return "";
  }
}

function keepAddress(address: string): void {
  try {
    localStorage.setItem(ADDRESS, address);
  } catch {
    // It is typed again next time.
  }
}
