/** Requests to our own service: JSON both ways, in the reader's language, with the session's cookie. */
import { language } from "../i18n/index.ts";
import { problemOf, Unreachable } from "./problem.ts";

export async function request<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
  const response = await send(path, {
    method,
    headers: {
      "accept-language": language.value,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw await problemOf(response);
  return (response.status === 204 ? undefined : await response.json()) as Answer;
}

/** Raises `Unreachable` when no answer came. */
export async function send(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, { credentials: "same-origin", cache: "no-store", ...init });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Unreachable(String(error));
  }
}
