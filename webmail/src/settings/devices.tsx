/** Where the account is logged in, and who has tried. */
import { middleDate, t } from "../i18n/index.ts";
import { Icon } from "../ui/icons.tsx";
import { ask, type Device, type Login } from "./api.ts";
import { type Loaded, useAct, useLoaded } from "./load.ts";
import { Awaited, Card, Risky, Trouble } from "./parts.tsx";
import { openSettings } from "./route.ts";

interface Devices {
  readonly devices: readonly Device[];
}

const RESULTS: Readonly<Record<string, "log.ok" | "log.wrong" | "log.factor" | "log.off">> = {
  ok: "log.ok",
  "wrong-secret": "log.wrong",
  "second-factor-wrong": "log.factor",
  suspended: "log.off",
  "service-off": "log.off",
};

export function DevicesPage() {
  const devices = useLoaded<Devices>("/devices");
  const logins = useLoaded<{ logins: readonly Login[] }>("/logins");
  return (
    <>
      <Card title={t("devices.title")} hint={t("devices.hint")}>
        <Awaited of={devices}>{(value) => <DeviceList devices={value.devices} of={devices} />}</Awaited>
      </Card>
      <Card title={t("log.title")} hint={t("log.hint")}>
        <button type="button" class="link" onClick={() => openSettings("security")}>
          {t("log.notMe")}
        </button>
        <Awaited of={logins}>{(value) => <LoginList logins={value.logins} />}</Awaited>
      </Card>
    </>
  );
}

function DeviceList({ devices, of }: { devices: readonly Device[]; of: Loaded<Devices> }) {
  const act = useAct();
  const end = (path: string) =>
    void act.run(async () => {
      await ask<void>("DELETE", path);
      await of.reload();
    });
  const others = devices.filter(({ is_this }) => !is_this);
  return (
    <>
      <Trouble text={act.trouble} />
      <ul class="things">
        {[...devices.filter(({ is_this }) => is_this), ...others.reverse()].map((device) => (
          <li key={device.number} class="thing">
            <span class="thing-icon">
              <Icon name="system" />
            </span>
            <div class="thing-text">
              <p class="thing-name">
                {device.label || t("devices.unknown")}
                {device.is_this && <span class="tag">{t("devices.this")}</span>}
                {device.kind === "binding" && <span class="tag">{t("devices.binding")}</span>}
              </p>
              <p class="hint">{[device.place, device.address].filter(Boolean).join(" · ")}</p>
              <p class="hint">{t("devices.seen", { date: middleDate(device.seen_at) })}</p>
            </div>
            {!device.is_this && (
              <Risky
                label={t("devices.end")}
                question={t("devices.endAsk", { label: device.label || t("devices.unknown") })}
                act={t("devices.end")}
                isBusy={act.isBusy}
                onAct={() => end(`/devices/${device.number}`)}
              />
            )}
          </li>
        ))}
      </ul>
      {others.length > 0 && (
        <Risky
          label={t("devices.endOthers")}
          question={t("devices.endOthersAsk")}
          act={t("devices.endOthers")}
          isBusy={act.isBusy}
          onAct={() => end("/devices")}
        />
      )}
    </>
  );
}

function LoginList({ logins }: { logins: readonly Login[] }) {
  if (logins.length === 0) return <p class="hint empty">{t("log.none")}</p>;
  return (
    <ul class="things">
      {logins.map((login) => {
        const isGood = login.result === "ok";
        const told = RESULTS[login.result];
        return (
          <li key={JSON.stringify({ ...login, count: 0, last_at: "" })} class="thing">
            <span class={`thing-icon ${isGood ? "is-good" : "is-bad"}`}>
              <Icon name={isGood ? "check" : "junk"} />
            </span>
            <div class="thing-text">
              <p class="thing-name">
                {told === undefined ? t("log.refused") : t(told)}
                <span class="tag">{login.service === "web" ? t("log.web") : login.service.toUpperCase()}</span>
              </p>
              <p class="hint">
                {[login.place, login.address, login.client || login.label].filter(Boolean).join(" · ")}
              </p>
              <p class="hint">
                {middleDate(login.last_at)}
                {login.count > 1 && ` · ${t("log.times", { count: login.count })}`}
              </p>
            </div>
          </li>
        );
      })}
    </ul>
  );
}
