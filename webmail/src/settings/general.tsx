/** Name, language, appearance. */
import { useSignal } from "@preact/signals";
import { renewSession, type Session } from "../api/session.ts";
import { t } from "../i18n/index.ts";
import { toast } from "../mail/acts.ts";
import { Field } from "../ui/field.tsx";
import { useForm } from "../ui/form.ts";
import { LanguageSwitch, ThemeSwitch } from "../ui/switches.tsx";
import { ask } from "./api.ts";
import { useLoaded } from "./load.ts";
import { Awaited, Card, Trouble } from "./parts.tsx";

interface Profile {
  readonly address: string;
  readonly name: string;
  readonly time_zone: string;
}

export function GeneralPage(_: { session: Session }) {
  const profile = useLoaded<Profile>("/profile");
  return (
    <>
      <Card title={t("general.you")}>
        <Awaited of={profile}>{(value) => <You profile={value} />}</Awaited>
      </Card>
      <Card title={t("general.looks")} hint={t("general.looksHint")}>
        <div class="rows">
          <div class="setting">
            <span>{t("settings.language")}</span>
            <LanguageSwitch />
          </div>
          <div class="setting">
            <span>{t("settings.theme")}</span>
            <ThemeSwitch />
          </div>
        </div>
      </Card>
    </>
  );
}

function You({ profile }: { profile: Profile }) {
  const name = useSignal(profile.name);
  const zone = useSignal(profile.time_zone);
  const form = useForm(["time_zone", "name"]);
  const zones = Intl.supportedValuesOf("timeZone");
  const submit = () =>
    form.submit({}, async () => {
      await ask<Profile>("PATCH", "/profile", { name: name.value.trim(), time_zone: zone.value });
      await renewSession();
      toast.value = { text: t("general.saved") };
    });
  return (
    <form
      ref={form.root}
      class="make"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <Trouble text={form.trouble} />
      <Field label={t("general.name")} error={form.errorOf("name")}>
        {(props) => (
          <input
            {...props}
            name="name"
            autocomplete="name"
            maxLength={100}
            value={name.value}
            onInput={(event) => {
              name.value = event.currentTarget.value;
            }}
          />
        )}
      </Field>
      <Field label={t("general.zone")} error={form.errorOf("time_zone")}>
        {(props) => (
          <select
            {...props}
            name="time_zone"
            value={zone.value}
            onChange={(event) => {
              zone.value = event.currentTarget.value;
            }}
          >
            <option value="">{t("general.zoneOfBrowser")}</option>
            {zones.map((each) => (
              <option key={each} value={each}>
                {each.replaceAll("_", " ")}
              </option>
            ))}
          </select>
        )}
      </Field>
      <button type="submit" class="primary" disabled={form.isBusy}>
        {t("general.save")}
      </button>
    </form>
  );
}
