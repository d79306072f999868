/** POP3/IMAP/SMTP services: switches, and app passwords (授权码), which are shown once. */
import { useSignal } from "@preact/signals";
import { middleDate, t } from "../i18n/index.ts";
import { Field } from "../ui/field.tsx";
import { useForm } from "../ui/form.ts";
import { Icon } from "../ui/icons.tsx";
import {
  type AppPassword,
  ask,
  type IssuedAppPassword,
  MAIL_SERVICES,
  type MailService,
  type Switches,
} from "./api.ts";
import { type Loaded, useAct, useLoaded } from "./load.ts";
import { Awaited, Card, CopyButton, Risky, Toggle, Trouble } from "./parts.tsx";
import { openSettings } from "./route.ts";

interface AppPasswords {
  readonly app_passwords: readonly AppPassword[];
}

export function ServicesPage() {
  const switches = useLoaded<Switches>("/services");
  const known = useLoaded<AppPasswords>("/app-passwords");
  return (
    <>
      <Card title={t("services.title")} hint={t("services.hint")}>
        <Awaited of={switches}>{(value) => <ServiceSwitches value={value} set={switches.set} />}</Awaited>
        <button type="button" class="link" onClick={() => openSettings("server")}>
          {t("services.toServer")}
        </button>
      </Card>
      <Card title={t("codes.title")} hint={t("codes.hint")}>
        <MakeCode onMade={() => void known.reload()} />
        <Awaited of={known}>{({ app_passwords }) => <CodeList codes={app_passwords} of={known} />}</Awaited>
      </Card>
    </>
  );
}

function ServiceSwitches({ value, set }: { value: Switches; set: (value: Switches) => void }) {
  const act = useAct();
  return (
    <div class="rows">
      <Trouble text={act.trouble} />
      {MAIL_SERVICES.map((service) => (
        <Toggle
          key={service}
          label={t(`services.${service}`)}
          hint={t(`services.${service}Hint`)}
          isOn={value[service]}
          isBusy={act.isBusy}
          onChange={(on) =>
            void act.run(async () => set(await ask<Switches>("PUT", "/services", { ...value, [service]: on })))
          }
        />
      ))}
    </div>
  );
}

function MakeCode({ onMade }: { onMade: () => void }) {
  const label = useSignal("");
  const services = useSignal<readonly MailService[]>(MAIL_SERVICES);
  const issued = useSignal<IssuedAppPassword | null>(null);
  const form = useForm(["services", "label"]);
  if (issued.value !== null)
    return (
      <Issued
        issued={issued.value}
        onDone={() => {
          issued.value = null;
          label.value = "";
        }}
      />
    );
  const submit = () =>
    form.submit({ label: label.value.trim() ? undefined : "codes.needLabel" }, async () => {
      const body = { label: label.value.trim(), services: services.value };
      issued.value = await ask<IssuedAppPassword>("POST", "/app-passwords", body);
      onMade();
    });
  return (
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
      <Field label={t("codes.label")} error={form.errorOf("label")}>
        {(props) => (
          <input
            {...props}
            name="label"
            maxLength={64}
            autocomplete="off"
            placeholder={t("codes.example")}
            value={label.value}
            onInput={(event) => {
              label.value = event.currentTarget.value;
            }}
          />
        )}
      </Field>
      <fieldset class="choices">
        <legend>{t("codes.for")}</legend>
        {MAIL_SERVICES.map((service) => (
          <label key={service} class="check">
            <input
              type="checkbox"
              checked={services.value.includes(service)}
              onChange={(event) => {
                const others = services.value.filter((each) => each !== service);
                services.value = event.currentTarget.checked ? [...others, service] : others;
              }}
            />
            <span>{service.toUpperCase()}</span>
          </label>
        ))}
      </fieldset>
      {form.errorOf("services") && <p class="field-error">{form.errorOf("services")}</p>}
      <button type="submit" class="primary" disabled={form.isBusy || services.value.length === 0}>
        <Icon name="key" size={18} />
        {t("codes.make")}
      </button>
    </form>
  );
}

function Issued({ issued, onDone }: { issued: IssuedAppPassword; onDone: () => void }) {
  return (
    <div class="issued" role="status">
      <h3>{t("codes.made", { label: issued.app_password.label })}</h3>
      <p class="secret-line">
        <output class="secret">{issued.secret}</output>
        <CopyButton text={issued.secret} what={t("codes.one")} />
      </p>
      <p class="hint">{t("codes.once")}</p>
      <button type="button" class="primary" onClick={onDone}>
        {t("codes.kept")}
      </button>
    </div>
  );
}

function CodeList({ codes, of }: { codes: readonly AppPassword[]; of: Loaded<AppPasswords> }) {
  const act = useAct();
  if (codes.length === 0) return <p class="hint empty">{t("codes.none")}</p>;
  const revoke = (path: string) =>
    void act.run(async () => {
      await ask<void>("DELETE", path);
      await of.reload();
    });
  return (
    <>
      <Trouble text={act.trouble} />
      <ul class="things">
        {[...codes].reverse().map((code) => (
          <li key={code.number} class="thing">
            <span class="thing-icon">
              <Icon name="key" />
            </span>
            <div class="thing-text">
              <p class="thing-name">{code.label}</p>
              <p class="hint">
                {code.services.map((service) => service.toUpperCase()).join(" · ")} ·{" "}
                {t("codes.madeAt", { date: middleDate(code.created_at) })}
              </p>
              <p class="hint">
                {code.last_used_at === null
                  ? t("codes.unused")
                  : t("codes.used", { date: middleDate(code.last_used_at), address: code.last_used_from })}
              </p>
            </div>
            <Risky
              label={t("codes.revoke")}
              question={t("codes.revokeAsk", { label: code.label })}
              act={t("codes.revoke")}
              isBusy={act.isBusy}
              onAct={() => revoke(`/app-passwords/${code.number}`)}
            />
          </li>
        ))}
      </ul>
      {codes.length > 1 && (
        <Risky
          label={t("codes.revokeAll")}
          question={t("codes.revokeAllAsk")}
          act={t("codes.revokeAll")}
          isBusy={act.isBusy}
          onAct={() => revoke("/app-passwords")}
        />
      )}
    </>
  );
}
