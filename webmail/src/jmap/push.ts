/** Hearing of changes: EventSource (RFC 8620 §7.3) where it works, asking now and then where it does not. */
import { signal } from "@preact/signals";
import { type Client, pathOf } from "./client.ts";

export const isConnected = signal(true);

const POLL_SECONDS = 20;
const FAILURES_UNTIL_POLLING = 3;

/** Call `onChange` whenever something may have changed, until the function that is returned is called. */
export function listen(client: Client, onChange: () => void): () => void {
  const template = client.session.eventSourceUrl;
  let stopPolling: (() => void) | undefined;
  let source: EventSource | undefined;
  let failures = 0;

  const poll = () => {
    stopPolling ??= every(POLL_SECONDS, onChange);
  };
  if (template === undefined || typeof EventSource === "undefined") poll();
  else {
    const address = pathOf(template.replace("{types}", "*").replace("{closeafter}", "no").replace("{ping}", "60"));
    source = new EventSource(address);
    source.addEventListener("state", onChange);
    source.onopen = () => {
      isConnected.value = true;
      if (failures > 0) onChange(); // What happened meanwhile was not told.
      failures = 0;
      stopPolling?.();
      stopPolling = undefined;
    };
    source.onerror = () => {
      failures += 1;
      if (failures >= FAILURES_UNTIL_POLLING || source?.readyState === EventSource.CLOSED) poll();
    };
  }
  const onVisible = () => {
    if (document.visibilityState === "visible") onChange();
  };
  document.addEventListener("visibilitychange", onVisible);
  window.addEventListener("online", onChange);
  return () => {
    source?.close();
    stopPolling?.();
    document.removeEventListener("visibilitychange", onVisible);
    window.removeEventListener("online", onChange);
  };
}

function every(seconds: number, act: () => void): () => void {
  const timer = setInterval(() => {
    if (document.visibilityState === "visible") act();
  }, seconds * 1000);
  return () => clearInterval(timer);
}
