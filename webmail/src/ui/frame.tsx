/** The text of a message in a frame in which nothing can run, as high as what it holds. */
import { useEffect, useRef } from "preact/hooks";
import { t } from "../i18n/index.ts";
import { cleanAgain, EMPTY_FRAME, loadDocument } from "../mail/shown.ts";

const MOST_PIXELS = 60_000;

export function MessageFrame({ address, onFailure }: { address: string; onFailure: () => void }) {
  const frame = useRef<HTMLIFrameElement>(null);
  useEffect(() => {
    const element = frame.current;
    if (element === null) return undefined;
    let isLeft = false;
    let observer: ResizeObserver | undefined;
    const opened = new Promise<void>((resolve) => {
      if (isReady(element)) resolve();
      else element.addEventListener("load", () => resolve(), { once: true });
    });
    const fill = async () => {
      const [text] = await Promise.all([loadDocument(address), opened]);
      const { contentDocument: inner, contentWindow: frameWindow } = element;
      if (isLeft || inner === null || frameWindow === null) return;
      const root = cleanAgain(text, frameWindow);
      inner.replaceChild(inner.adoptNode(root), inner.documentElement);
      // Senders choose colours for white paper: dark ones on our dark ground could not be read.
      inner.documentElement.style.colorScheme = "light";
      inner.body.style.padding = "0";
      inner.documentElement.lang = document.documentElement.lang;
      const fit = () => {
        const body = inner.body;
        const height = Math.max(body.offsetHeight, body.scrollHeight);
        element.style.height = `${Math.min(height + 2, MOST_PIXELS)}px`;
      };
      observer = new ResizeObserver(fit);
      observer.observe(inner.body);
      for (const picture of inner.images) picture.addEventListener("load", fit);
      inner.addEventListener("keydown", passOn);
      fit();
      element.dataset.filled = "true";
    };
    fill().catch(() => {
      if (!isLeft) onFailure();
    });
    return () => {
      isLeft = true;
      observer?.disconnect();
    };
  }, [address]);
  return (
    <iframe
      ref={frame}
      class="message-frame"
      title={t("read.htmlFrame")}
      src={EMPTY_FRAME}
      sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox"
      referrerpolicy="no-referrer"
    />
  );
}

function isReady(element: HTMLIFrameElement): boolean {
  const inner = element.contentDocument;
  return inner !== null && inner.readyState === "complete" && inner.URL.endsWith(EMPTY_FRAME);
}

/** Shortcuts go on working when the text has been clicked. */
function passOn(event: KeyboardEvent): void {
  const { key, ctrlKey, metaKey, altKey, shiftKey } = event;
  if (ctrlKey || metaKey || altKey || key === "Tab") return;
  document.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey, cancelable: true }));
}
