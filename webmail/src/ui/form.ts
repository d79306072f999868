/** A form: what is wrong stands beside its field, nothing typed is lost, and nothing is sent twice. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Cancelled, Problem, Unreachable } from "../api/problem.ts";
import { type Key, t } from "../i18n/index.ts";

export interface Form {
  readonly isBusy: boolean;
  readonly trouble: string;
  readonly root: { current: HTMLFormElement | null };
  errorOf(field: string): string;
  submit(missing: Record<string, Key | undefined>, act: () => Promise<void>): void;
}

/** `fields`: those of the body that the form shows; the last one is where a refusal of the whole is told. */
export function useForm(fields: readonly string[]): Form {
  const isBusy = useSignal(false);
  const trouble = useSignal("");
  const errors = useSignal<Record<string, string>>({});
  const root = useRef<HTMLFormElement>(null);

  useEffect(() => {
    const empty = [...(root.current?.querySelectorAll("input") ?? [])].find((input) => !input.value);
    empty?.focus();
  }, []);
  useEffect(() => {
    root.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [errors.value]);

  async function run(act: () => Promise<void>): Promise<void> {
    isBusy.value = true;
    try {
      await act();
    } catch (error) {
      if (error instanceof Cancelled) return;
      const named = error instanceof Problem ? fields.map((field) => [field, error.faultOf(field)] as const) : [];
      const known = named.filter(([, fault]) => fault !== undefined);
      if (known.length > 0) errors.value = Object.fromEntries(known) as Record<string, string>;
      else if (error instanceof Problem && error.status === 401) errors.value = { [fields.at(-1) ?? ""]: error.detail };
      else trouble.value = describe(error);
    } finally {
      isBusy.value = false;
    }
  }

  return {
    isBusy: isBusy.value,
    trouble: trouble.value,
    root,
    errorOf: (field) => errors.value[field] ?? "",
    submit(missing, act) {
      trouble.value = "";
      const wrong = Object.entries(missing).flatMap(([field, key]) => (key ? [[field, t(key)] as const] : []));
      errors.value = Object.fromEntries(wrong);
      if (wrong.length === 0 && !isBusy.value) void run(act);
    },
  };
}

/** What went wrong, as a sentence; a fault of the server with the number under which its log knows it. */
export function describe(error: unknown): string {
  if (error instanceof Unreachable) return t("login.unreachable");
  if (!(error instanceof Problem)) return t("login.trouble");
  const said = error.detail || t("login.trouble");
  return error.reference ? `${said} ${t("login.reference", { reference: error.reference })}` : said;
}
