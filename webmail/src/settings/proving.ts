/** Who is waited for: the dialog that asks for the password or a code before something risky. */
import { signal } from "@preact/signals";
import { Cancelled } from "../api/problem.ts";

interface Waiting {
  readonly proven: () => void;
  readonly cancelled: () => void;
}

export const waiting = signal<Waiting | null>(null);

/** Returns when the reader has shown it; raises `Cancelled`. Several that ask at once wait for one dialog. */
export function proveAgain(): Promise<void> {
  return new Promise((resolve, reject) => {
    const before = waiting.peek();
    const end = (act: () => void, others: (() => void) | undefined) => () => {
      waiting.value = null;
      others?.();
      act();
    };
    waiting.value = {
      proven: end(resolve, before?.proven),
      cancelled: end(() => reject(new Cancelled()), before?.cancelled),
    };
  });
}
