/** What a reader should know of a message before its text: whom it is from, pictures elsewhere, links that deceive. */
import { useSignal } from "@preact/signals";
import { type Key, t } from "../i18n/index.ts";
import { toast } from "../mail/acts.ts";
import { type Shown, trustSender } from "../mail/shown.ts";
import { Icon } from "./icons.tsx";

const MOST_LINKS = 5;
const REASONS: Readonly<Record<string, Key>> = {
  "other-host": "link.otherHost",
  "mixed-scripts": "link.lookAlike",
  "look-alike": "link.lookAlike",
  address: "link.address",
  "user-info": "link.userInfo",
};

export function Warnings({ shown, hasPictures, onShow }: { shown: Shown; hasPictures: boolean; onShow: () => void }) {
  const odd = shown.links.filter(({ reasons }) => reasons.length > 0);
  return (
    <>
      {shown.origin.verdict === "failed" && (
        <p class="warning is-grave" role="note">
          <Icon name="junk" size={18} />
          <span>{t("origin.failed", { domain: shown.origin.domain })}</span>
        </p>
      )}
      {odd.length > 0 && (
        <div class="warning" role="note">
          <Icon name="junk" size={18} />
          <div>
            <p>{t("link.warning")}</p>
            <ul>
              {odd.slice(0, MOST_LINKS).map((link) => (
                <li key={link.text + link.target}>
                  {t(REASONS[link.reasons[0] ?? ""] ?? "link.otherHost", { text: link.text, host: link.host })}
                </li>
              ))}
            </ul>
          </div>
        </div>
      )}
      {shown.remote.length > 0 && !hasPictures && !shown.is_sender_trusted && (
        <Pictures shown={shown} onShow={onShow} />
      )}
    </>
  );
}

function Pictures({ shown, onShow }: { shown: Shown; onShow: () => void }) {
  const isBusy = useSignal(false);
  const hosts = shown.remote.map(({ host }) => host);
  const named = hosts.slice(0, 2).join(t("list.and"));
  const trust = async () => {
    isBusy.value = true;
    try {
      await trustSender(shown.sender);
      onShow();
    } catch (error) {
      toast.value = { text: t("done.failed", { reason: (error as Error).message }) };
    } finally {
      isBusy.value = false;
    }
  };
  return (
    <div class="warning is-quiet">
      <Icon name="eyeOff" size={18} />
      <div>
        <p>{t(hosts.length > 2 ? "pictures.blockedMore" : "pictures.blocked", { hosts: named })}</p>
        <p class="warning-acts">
          <button type="button" class="link" onClick={onShow}>
            {t("pictures.show")}
          </button>
          {shown.sender && shown.origin.verdict === "verified" && (
            <button type="button" class="link" disabled={isBusy.value} onClick={() => void trust()}>
              {t("pictures.trust", { sender: shown.sender })}
            </button>
          )}
        </p>
      </div>
    </div>
  );
}

/** A sentence for the details of a message. */
export function originSentence(shown: Shown): string {
  const { verdict, domain, methods } = shown.origin;
  const said = Object.entries(methods)
    .map(([method, result]) => `${method.toUpperCase()} ${result}`)
    .join(" · ");
  const sentence = t(`origin.${verdict}`, { domain: domain || shown.sender.split("@").pop() || "" });
  return said ? `${sentence} (${said})` : sentence;
}
