/** Who is logged in: `/api/v1/session` of the open API. */
import { signal } from "@preact/signals";
import { request } from "./http.ts";
import { Problem } from "./problem.ts";

export interface Session {
  readonly address: string;
  readonly name: string;
  readonly locale: string;
  readonly role: string;
  readonly has_second_factor: boolean;
  /** What is to be done before anything else. */
  readonly requirement: "new-password" | "second-factor" | null;
}

interface LoginState {
  readonly state: "open" | "second-factor";
  readonly session: Session | null;
}

export type Standing =
  | { readonly at: "asking" }
  | { readonly at: "outside"; readonly ended: boolean }
  | { readonly at: "second-factor" }
  | { readonly at: "inside"; readonly session: Session };

export const standing = signal<Standing>({ at: "asking" });

const SESSION = "/api/v1/session";

/** Ask the server who we are; the first thing that a page does. */
export async function findSession(): Promise<void> {
  try {
    standing.value = { at: "inside", session: await request<Session>("GET", SESSION) };
  } catch (error) {
    const waits = error instanceof Problem && error.kind === "second-factor-needed";
    standing.value = waits ? { at: "second-factor" } : { at: "outside", ended: false };
  }
}

export async function logIn(name: string, password: string, remember: boolean): Promise<void> {
  take(await request<LoginState>("POST", SESSION, { name, password, remember }));
}

export async function showSecondFactor(code: string, bind: boolean): Promise<void> {
  take(await request<LoginState>("POST", `${SESSION}/second-factor`, { code, bind }));
}

/** Ask anew: a password or a second factor has changed, and with it what the session may. */
export async function renewSession(): Promise<void> {
  standing.value = { at: "inside", session: await request<Session>("GET", SESSION) };
}

/** Show the password, or a code where there is a second factor: what is risky asks for it. */
export async function stepUp(proof: { password?: string; code?: string }): Promise<void> {
  await request<Session>("POST", `${SESSION}/step-up`, proof);
}

export async function logOut(): Promise<void> {
  await request<void>("DELETE", SESSION).catch(() => undefined);
  standing.value = { at: "outside", ended: false };
}

/** A request was answered with 401: the login is asked for, and the address of the page stays as it is. */
export function sessionEnded(): void {
  if (standing.value.at === "inside") standing.value = { at: "outside", ended: true };
}

function take(login: LoginState): void {
  standing.value =
    login.state === "open" && login.session !== null
      ? { at: "inside", session: login.session }
      : { at: "second-factor" };
}
