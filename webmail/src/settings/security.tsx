/** The security centre: the password, and the second factor with its recovery codes. */
import { useSignal } from "@preact/signals";
import { renewSession, type Session } from "../api/session.ts";
import { middleDate, t } from "../i18n/index.ts";
import { toast } from "../mail/acts.ts";
import { Field } from "../ui/field.tsx";
import { useForm } from "../ui/form.ts";
import { Icon } from "../ui/icons.tsx";
import { ask, type Enrolment, type SecondFactor } from "./api.ts";
import { type Loaded, useAct, useLoaded } from "./load.ts";
import { Awaited, Card, CopyButton, Drawing, Risky, Trouble } from "./parts.tsx";

export function SecurityPage({ session }: { session: Session }) {
  const factor = useLoaded<SecondFactor>("/second-factor");
  const needs = session.requirement;
  return (
    <>
      {needs !== "new-password" && (
        <Card title={t("factor.title")} hint={t("factor.hint")}>
          <Awaited of={factor}>{(value) => <Factor state={value} of={factor} />}</Awaited>
        </Card>
      )}
      {needs !== "second-factor" && <PasswordCard />}
    </>
  );
}

function PasswordCard() {
  const first = useSignal("");
  const again = useSignal("");
  const form = useForm(["password", "again"]);
  const submit = () =>
    form.submit(
      {
        password: first.value ? undefined : "password.need",
        again: first.value && again.value !== first.value ? "password.differs" : undefined,
      },
      async () => {
        await ask<void>("PUT", "/password", { password: first.value });
        first.value = "";
        again.value = "";
        toast.value = { text: t("password.done") };
        await renewSession();
      },
    );
  return (
    <Card title={t("password.title")} hint={t("password.hint")}>
      <form
        ref={form.root}
        class="make"
        noValidate
        aria-busy={form.isBusy}
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <Trouble text={form.trouble} />
        <Field label={t("password.new")} error={form.errorOf("password")}>
          {(props) => (
            <input
              {...props}
              type="password"
              name="new-password"
              autocomplete="new-password"
              value={first.value}
              onInput={(event) => {
                first.value = event.currentTarget.value;
              }}
            />
          )}
        </Field>
        <Field label={t("password.again")} error={form.errorOf("again")}>
          {(props) => (
            <input
              {...props}
              type="password"
              name="new-password-again"
              autocomplete="new-password"
              value={again.value}
              onInput={(event) => {
                again.value = event.currentTarget.value;
              }}
            />
          )}
        </Field>
        <button type="submit" class="primary" disabled={form.isBusy}>
          {t("password.change")}
        </button>
      </form>
    </Card>
  );
}

function Factor({ state, of }: { state: SecondFactor; of: Loaded<SecondFactor> }) {
  const enrolment = useSignal<Enrolment | null>(null);
  const codes = useSignal<readonly string[] | null>(null);
  const act = useAct();
  const renewed = async () => {
    await of.reload();
    await renewSession();
  };
  if (codes.value !== null)
    return (
      <RecoveryCodes
        codes={codes.value}
        onDone={() => {
          codes.value = null;
          void act.run(renewed);
        }}
      />
    );
  if (enrolment.value !== null)
    return (
      <Enrol
        enrolment={enrolment.value}
        onDone={(made) => {
          enrolment.value = null;
          codes.value = made;
        }}
        onCancel={() => {
          enrolment.value = null;
        }}
      />
    );
  return (
    <>
      <Trouble text={act.trouble} />
      <p class={`standing ${state.is_on ? "is-good" : ""}`}>
        <Icon name="shield" />
        <span>
          {state.is_on && state.since !== null
            ? t("factor.isOn", { date: middleDate(state.since) })
            : t("factor.isOff")}
        </span>
      </p>
      {state.is_on && <p class="hint">{t("factor.codesLeft", { count: state.recovery_codes })}</p>}
      <div class="acts">
        {!state.has_authenticator && (
          <button
            type="button"
            class="primary"
            disabled={act.isBusy}
            onClick={() =>
              void act.run(async () => {
                enrolment.value = await ask<Enrolment>("POST", "/second-factor");
              })
            }
          >
            {t("factor.begin")}
          </button>
        )}
        {state.is_on && (
          <Risky
            label={t("factor.renew")}
            question={t("factor.renewAsk")}
            act={t("factor.renew")}
            isBusy={act.isBusy}
            onAct={() =>
              void act.run(async () => {
                const made = await ask<{ recovery_codes: string[] }>("POST", "/second-factor/recovery-codes");
                codes.value = made.recovery_codes;
              })
            }
          />
        )}
        {state.has_authenticator && (
          <Risky
            label={t("factor.end")}
            question={t("factor.endAsk")}
            act={t("factor.end")}
            isBusy={act.isBusy}
            onAct={() =>
              void act.run(async () => {
                await ask<void>("DELETE", "/second-factor");
                await renewed();
                toast.value = { text: t("factor.ended") };
              })
            }
          />
        )}
      </div>
    </>
  );
}

function Enrol(props: { enrolment: Enrolment; onDone: (codes: readonly string[]) => void; onCancel: () => void }) {
  const code = useSignal("");
  const form = useForm(["code"]);
  const submit = () =>
    form.submit({ code: code.value.trim() ? undefined : "login.needCode" }, async () => {
      const body = { code: code.value.trim() };
      props.onDone((await ask<{ recovery_codes: string[] }>("POST", "/second-factor/confirm", body)).recovery_codes);
    });
  const { secret, qr_code } = props.enrolment;
  return (
    <form
      ref={form.root}
      class="make enrol"
      noValidate
      aria-busy={form.isBusy}
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <ol class="steps">
        <li>
          <p>{t("factor.stepScan")}</p>
          <Drawing svg={qr_code} label={t("factor.qr")} />
          <p class="hint">{t("factor.byHand")}</p>
          <p class="secret-line">
            <output class="secret is-small">{secret.replace(/(.{4})(?=.)/g, "$1 ")}</output>
            <CopyButton text={secret} what={t("factor.secret")} />
          </p>
        </li>
        <li>
          <p>{t("factor.stepCode")}</p>
          <Field label={t("login.code")} error={form.errorOf("code")}>
            {(field) => (
              <input
                {...field}
                class="code"
                name="code"
                inputMode="numeric"
                autocomplete="one-time-code"
                value={code.value}
                onInput={(event) => {
                  code.value = event.currentTarget.value;
                }}
              />
            )}
          </Field>
        </li>
      </ol>
      <Trouble text={form.trouble} />
      <div class="acts">
        <button type="submit" class="primary" disabled={form.isBusy}>
          {t("factor.confirm")}
        </button>
        <button type="button" class="secondary" onClick={props.onCancel}>
          {t("ask.cancel")}
        </button>
      </div>
    </form>
  );
}

function RecoveryCodes({ codes, onDone }: { codes: readonly string[]; onDone: () => void }) {
  const text = `${codes.join("\n")}\n`;
  const download = () => {
    const address = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
    const link = document.createElement("a");
    link.href = address;
    link.download = t("recovery.file");
    link.click();
    URL.revokeObjectURL(address);
  };
  return (
    <div class="issued" role="status">
      <h3>{t("recovery.title")}</h3>
      <p class="hint">{t("recovery.hint")}</p>
      <ul class="recovery">
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ul>
      <div class="acts">
        <button type="button" class="secondary" onClick={download}>
          <Icon name="download" size={18} />
          {t("recovery.download")}
        </button>
        <button type="button" class="secondary" onClick={() => window.print()}>
          {t("recovery.print")}
        </button>
        <CopyButton text={text} what={t("recovery.title")} />
      </div>
      <button type="button" class="primary" onClick={onDone}>
        {t("recovery.kept")}
      </button>
    </div>
  );
}
