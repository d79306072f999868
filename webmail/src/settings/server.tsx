/** What to enter into a mail program: true to the listeners that run. */
import { middleDate, t } from "../i18n/index.ts";
import type { ServerInfo, ServerWay } from "./api.ts";
import { useLoaded } from "./load.ts";
import { Awaited, Card, CopyButton, Drawing } from "./parts.tsx";
import { openSettings } from "./route.ts";

const GROUPS = [
  ["imap", "server.imap"],
  ["pop3", "server.pop3"],
  ["smtp", "server.smtp"],
] as const;

export function ServerPage() {
  const info = useLoaded<ServerInfo>("/server-info");
  return <Awaited of={info}>{(value) => <Info info={value} />}</Awaited>;
}

function Info({ info }: { info: ServerInfo }) {
  return (
    <>
      <Card title={t("server.account")} hint={t("server.hint")}>
        <dl class="facts">
          <Fact name={t("server.user")} value={info.user_name} />
          <div>
            <dt>{t("server.password")}</dt>
            <dd>
              <span>{t("server.passwordIs")}</span>
              <button type="button" class="link" onClick={() => openSettings("services")}>
                {t("server.makeOne")}
              </button>
            </dd>
          </div>
        </dl>
      </Card>
      {GROUPS.map(([service, title]) => (
        <Service key={service} title={t(title)} ways={info.servers.filter((way) => way.service === service)} />
      ))}
      <Card title={t("server.scan")} hint={t("server.scanHint")}>
        <Drawing svg={info.qr_code} label={t("server.scan")} />
      </Card>
      <p class="hint told">
        {t("server.asOf", { date: middleDate(info.generated_at), configuration: info.configuration })}
      </p>
    </>
  );
}

function Service({ title, ways }: { title: string; ways: readonly ServerWay[] }) {
  const [best, ...others] = ways;
  if (best === undefined) return null;
  return (
    <Card title={title} {...(best.is_on ? {} : { hint: t("server.isOff") })}>
      <dl class={best.is_on ? "facts" : "facts is-off"}>
        <Fact name={t("server.host")} value={best.host} />
        <Fact name={t("server.port")} value={String(best.port)} />
        <div>
          <dt>{t("server.security")}</dt>
          <dd>{t(`server.${best.security}`)}</dd>
        </div>
      </dl>
      {others.length > 0 && (
        <details class="others">
          <summary>{t("server.others")}</summary>
          <ul>
            {others.map((way) => (
              <li key={`${way.port}${way.security}`}>
                {way.host} · {t("server.portIs", { port: way.port })} · {t(`server.${way.security}`)}
              </li>
            ))}
          </ul>
        </details>
      )}
    </Card>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <span class="value">{value}</span>
        <CopyButton text={value} what={name} />
      </dd>
    </div>
  );
}
