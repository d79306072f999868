/** What a page shows, asked of the server when it opens and again when it has changed. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Cancelled } from "../api/problem.ts";
import { describe } from "../ui/form.ts";
import { ask } from "./api.ts";

export interface Loaded<Value> {
  readonly value: Value | null;
  readonly trouble: string;
  reload(): Promise<void>;
  set(value: Value): void;
}

export function useLoaded<Value>(path: string): Loaded<Value> {
  const value = useSignal<Value | null>(null);
  const trouble = useSignal("");
  const reload = async () => {
    try {
      value.value = await ask<Value>("GET", path);
      trouble.value = "";
    } catch (error) {
      trouble.value = describe(error);
    }
  };
  useEffect(() => void reload(), [path]);
  return {
    value: value.value,
    trouble: trouble.value,
    reload,
    set: (next) => {
      value.value = next;
    },
  };
}

/** A single act, such as a switch or a button: busy while it lasts, its trouble told. */
export function useAct(): { isBusy: boolean; trouble: string; run(act: () => Promise<void>): Promise<void> } {
  const isBusy = useSignal(false);
  const trouble = useSignal("");
  const run = async (act: () => Promise<void>) => {
    if (isBusy.peek()) return;
    isBusy.value = true;
    trouble.value = "";
    try {
      await act();
    } catch (error) {
      if (!(error instanceof Cancelled)) trouble.value = describe(error);
    } finally {
      isBusy.value = false;
    }
  };
  return { isBusy: isBusy.value, trouble: trouble.value, run };
}
