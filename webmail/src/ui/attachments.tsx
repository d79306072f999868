/** What is attached: looked at here where its type can do no harm, saved one by one, or all as an archive. */
import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { send } from "../api/http.ts";
import { size, t } from "../i18n/index.ts";
import type { Id } from "../jmap/types.ts";
import { type Attachment, zipUrl } from "../mail/shown.ts";
import { Icon } from "./icons.tsx";

const MOST_TEXT = 200_000; // characters of a text that is looked at

export function Attachments({ email, all }: { email: Id; all: readonly Attachment[] }) {
  const looked = useSignal<Attachment | null>(null);
  const listed = all.filter((one) => !one.is_inline);
  if (listed.length === 0) return null;
  return (
    <section class="attachments" aria-label={t("read.attachments")}>
      <ul class="attachment-list">
        {listed.map((one) => (
          <li key={one.part} class="attachment">
            {one.can_preview ? (
              <button
                type="button"
                class="attachment-open"
                title={t("read.look", { name: nameOf(one) })}
                onClick={() => {
                  looked.value = one;
                }}
              >
                <Face one={one} />
              </button>
            ) : (
              <a class="attachment-open" href={one.url} download={nameOf(one)}>
                <Face one={one} />
              </a>
            )}
            <a
              class="icon-button"
              href={one.url}
              download={nameOf(one)}
              aria-label={t("read.download", { name: nameOf(one) })}
            >
              <Icon name="download" size={18} />
            </a>
          </li>
        ))}
      </ul>
      {listed.length > 1 && (
        <a class="link" href={zipUrl(email)} download="">
          {t("read.zip")}
        </a>
      )}
      {looked.value !== null && (
        <Look
          one={looked.value}
          onClose={() => {
            looked.value = null;
          }}
        />
      )}
    </section>
  );
}

function nameOf(one: Attachment): string {
  return one.name || t("read.unnamed");
}

function Face({ one }: { one: Attachment }) {
  return (
    <>
      {one.media_type.startsWith("image/") && one.can_preview ? (
        <img class="attachment-picture" src={`${one.url}?inline=true`} alt="" loading="lazy" />
      ) : (
        <Icon name="attachment" size={18} />
      )}
      <span class="attachment-name">{nameOf(one)}</span>
      <span class="attachment-size">{size(one.size)}</span>
    </>
  );
}

function Look({ one, onClose }: { one: Attachment; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog
      class="look"
      ref={dialog}
      aria-label={nameOf(one)}
      onClose={onClose}
      onClick={(event) => {
        if (event.target === dialog.current) dialog.current?.close();
      }}
    >
      <header class="look-head">
        <h2>{nameOf(one)}</h2>
        <a class="secondary" href={one.url} download={nameOf(one)}>
          <Icon name="download" size={18} />
          {t("read.save")}
        </a>
        <button type="button" class="icon-button" aria-label={t("menu.close")} onClick={() => dialog.current?.close()}>
          <Icon name="close" />
        </button>
      </header>
      <div class="look-body">
        <Content one={one} />
      </div>
    </dialog>
  );
}

function Content({ one }: { one: Attachment }) {
  const address = `${one.url}?inline=true`;
  const [kind] = one.media_type.split("/");
  if (kind === "image") return <img src={address} alt={nameOf(one)} />;
  if (kind === "audio") return <audio src={address} controls />;
  if (kind === "video") return <video src={address} controls />;
  if (one.media_type === "application/pdf") return <iframe class="look-page" src={address} title={nameOf(one)} />;
  return <PlainText address={address} />;
}

function PlainText({ address }: { address: string }) {
  const text = useSignal(t("read.loading"));
  useEffect(() => {
    send(address, {})
      .then((response) => (response.ok ? response.text() : Promise.reject(new Error(String(response.status)))))
      .then(
        (found) => {
          text.value = found.length > MOST_TEXT ? `${found.slice(0, MOST_TEXT)}\n…` : found;
        },
        () => {
          text.value = t("read.failed");
        },
      );
  }, [address]);
  return (
    <pre class="look-text" tabIndex={0}>
      {text.value}
    </pre>
  );
}
