/** What mail programs are served: POP3's range, what deleting does; addresses; storage. */
import { number, size, t } from "../i18n/index.ts";
import { ask } from "./api.ts";
import { type Loaded, useAct, useLoaded } from "./load.ts";
import { Awaited, Card, Trouble } from "./parts.tsx";

type Deleted = "expunge" | "trash" | "keep";

interface MailSettings {
  readonly pop3: {
    readonly days: number;
    readonly fetched: "keep" | "seen" | "delete";
    readonly keep_days: number;
    readonly deleted: Deleted;
  };
  readonly imap: { readonly deleted: Deleted };
}

interface Storage {
  readonly used_octets: number;
  readonly used_messages: number;
  readonly limit_octets: number;
}

const DAYS = [0, 7, 30, 90, 365];
const DELETED: readonly Deleted[] = ["expunge", "trash", "keep"];

export function MailSettingsPage() {
  const settings = useLoaded<MailSettings>("/mail-settings");
  const addresses = useLoaded<{ addresses: readonly { address: string; is_own: boolean }[] }>("/addresses");
  const storage = useLoaded<Storage>("/storage");
  return (
    <>
      <Card title={t("served.title")} hint={t("served.hint")}>
        <Awaited of={settings}>{(value) => <Served value={value} of={settings} />}</Awaited>
      </Card>
      <Card title={t("addresses.title")} hint={t("addresses.hint")}>
        <Awaited of={addresses}>
          {(value) => (
            <ul class="rows">
              {value.addresses.map(({ address, is_own }) => (
                <li key={address} class="setting">
                  <span class="value">{address}</span>
                  {is_own && <span class="tag">{t("addresses.own")}</span>}
                </li>
              ))}
            </ul>
          )}
        </Awaited>
      </Card>
      <Card title={t("storage.title")}>
        <Awaited of={storage}>{(value) => <Used storage={value} />}</Awaited>
      </Card>
    </>
  );
}

function Served({ value, of }: { value: MailSettings; of: Loaded<MailSettings> }) {
  const act = useAct();
  const change = (body: object) =>
    void act.run(async () => of.set(await ask<MailSettings>("PATCH", "/mail-settings", body)));
  const days = DAYS.includes(value.pop3.days) ? DAYS : [...DAYS, value.pop3.days];
  return (
    <div class="rows">
      <Trouble text={act.trouble} />
      <Choice
        label={t("served.days")}
        value={String(value.pop3.days)}
        choices={days.map((each) => [
          String(each),
          each === 0 ? t("served.allDays") : t("served.lastDays", { count: each }),
        ])}
        onChange={(chosen) => change({ pop3: { days: Number(chosen) } })}
      />
      <Choice
        label={t("served.pop3Deleted")}
        value={value.pop3.deleted}
        choices={DELETED.map((each) => [each, t(`served.pop3.${each}`)])}
        onChange={(deleted) => change({ pop3: { deleted } })}
      />
      <Choice
        label={t("served.imapDeleted")}
        value={value.imap.deleted}
        choices={DELETED.map((each) => [each, t(`served.imap.${each}`)])}
        onChange={(deleted) => change({ imap: { deleted } })}
      />
    </div>
  );
}

function Choice(props: {
  label: string;
  value: string;
  choices: readonly (readonly [value: string, label: string])[];
  onChange: (value: string) => void;
}) {
  return (
    <label class="setting">
      <span>{props.label}</span>
      <select
        value={props.value}
        onChange={(event) => {
          const chosen = event.currentTarget.value;
          event.currentTarget.value = props.value;
          props.onChange(chosen);
        }}
      >
        {props.choices.map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
    </label>
  );
}

function Used({ storage }: { storage: Storage }) {
  const { used_octets, used_messages, limit_octets } = storage;
  const used = t("storage.used", { size: size(used_octets), count: number(used_messages) });
  if (limit_octets === 0) return <p>{used}</p>;
  return (
    <>
      <p>{t("storage.of", { used, limit: size(limit_octets) })}</p>
      <meter class="meter" min={0} max={limit_octets} value={used_octets} high={limit_octets * 0.9} aria-label={used} />
    </>
  );
}
