/** What the settings ask of the open API. A risky request asks for the password or a code, and is then sent again. */
import { request } from "../api/http.ts";
import { Problem } from "../api/problem.ts";
import { sessionEnded } from "../api/session.ts";
import { proveAgain } from "./proving.ts";

const API = "/api/v1";

export async function ask<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
  for (;;) {
    try {
      return await request<Answer>(method, API + path, body);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.status === 401) sessionEnded();
      if (error.kind !== "step-up-needed") throw error;
      await proveAgain();
    }
  }
}

export type MailService = "imap" | "pop3" | "smtp";

export const MAIL_SERVICES: readonly MailService[] = ["imap", "pop3", "smtp"];

export type Switches = Record<MailService, boolean>;

export interface AppPassword {
  readonly number: number;
  readonly label: string;
  readonly services: readonly MailService[];
  readonly created_at: string;
  readonly last_used_at: string | null;
  readonly last_used_from: string;
}

export interface IssuedAppPassword {
  readonly app_password: AppPassword;
  readonly secret: string;
}

export interface ServerWay {
  readonly service: string;
  readonly host: string;
  readonly port: number;
  readonly security: "tls" | "starttls";
  readonly is_on: boolean;
}

export interface ServerInfo {
  readonly user_name: string;
  readonly servers: readonly ServerWay[];
  readonly generated_at: string;
  readonly configuration: string;
  readonly qr_code: string;
  readonly check_minutes: number;
}

export interface SecondFactor {
  readonly is_on: boolean;
  readonly since: string | null;
  readonly recovery_codes: number;
  readonly has_authenticator: boolean;
  readonly passkeys: number;
}

export interface Enrolment {
  readonly secret: string;
  readonly uri: string;
  readonly qr_code: string;
}

export interface Device {
  readonly number: number;
  readonly kind: "session" | "binding";
  readonly label: string;
  readonly address: string;
  readonly place: string;
  readonly opened_at: string;
  readonly seen_at: string;
  readonly is_this: boolean;
}

export interface Login {
  readonly address: string;
  readonly place: string;
  readonly service: string;
  readonly mechanism: string;
  readonly result: string;
  readonly label: string;
  readonly client: string;
  readonly count: number;
  readonly first_at: string;
  readonly last_at: string;
}
