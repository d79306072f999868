/**
 * JMAP over HTTP (RFC 8620). A `Batch` is one request: calls are added, each gives a promise of its answer and can be
 * referred to by those that follow (§3.7); nothing is sent before `send`.
 */
import { send } from "../api/http.ts";
import { Problem, problemOf } from "../api/problem.ts";
import { CORE, type JmapSession } from "./types.ts";

export class MethodError extends Error {
  constructor(
    readonly type: string,
    readonly description: string,
  ) {
    super(description || type);
  }
}

type Arguments = Readonly<Record<string, unknown>>;
type Invocation = [name: string, given: Arguments, callId: string];

export interface Reference {
  readonly resultOf: string;
  readonly name: string;
  readonly path: string;
}

export class Call<Answer> {
  readonly answer: Promise<Answer>;
  resolve: (answer: Answer) => void = () => undefined;
  reject: (error: unknown) => void = () => undefined;

  constructor(
    readonly name: string,
    readonly id: string,
  ) {
    this.answer = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.answer.catch(() => undefined); // Nobody has to wait for each answer; who does hears of the error.
  }

  /** What a later call of the same request takes from this answer. */
  at(path: string): Reference {
    return { resultOf: this.id, name: this.name, path };
  }
}

export class Client {
  constructor(
    readonly session: JmapSession,
    readonly using: readonly string[],
    readonly accountId: string,
    private readonly onEnded: () => void,
  ) {}

  batch(): Batch {
    return new Batch(this);
  }

  /** Make one call. */
  async call<Answer>(name: string, given: Arguments): Promise<Answer> {
    const batch = this.batch();
    const call = batch.add<Answer>(name, given);
    await batch.send();
    return call.answer;
  }

  async post(calls: readonly Invocation[]): Promise<readonly Invocation[]> {
    const response = await send(pathOf(this.session.apiUrl), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ using: this.using, methodCalls: calls }),
    });
    if (response.status === 401) this.onEnded();
    if (!response.ok) throw await problemOf(response);
    const said = (await response.json()) as { methodResponses: readonly Invocation[] };
    return said.methodResponses;
  }

  /** The address of a blob, for a link. */
  downloadUrl(blobId: string, name: string, type: string): string {
    const values: Record<string, string> = { accountId: this.accountId, blobId, name, type };
    const filled = this.session.downloadUrl.replace(/\{(\w+)\}/g, (_, key: string) =>
      encodeURIComponent(values[key] ?? ""),
    );
    return pathOf(filled);
  }
}

export class Batch {
  private readonly calls: { call: Call<never>; given: Arguments }[] = [];

  constructor(private readonly client: Client) {}

  add<Answer>(name: string, given: Arguments): Call<Answer> {
    const call = new Call<Answer>(name, String(this.calls.length));
    this.calls.push({ call: call as unknown as Call<never>, given: { accountId: this.client.accountId, ...given } });
    return call;
  }

  /** Raises `Problem` or `Unreachable`; the errors of single methods are with their calls. */
  async send(): Promise<void> {
    try {
      const responses = await this.client.post(this.calls.map(({ call, given }) => [call.name, given, call.id]));
      settle(
        this.calls.map(({ call }) => call),
        responses,
      );
    } catch (error) {
      for (const { call } of this.calls) call.reject(error);
      throw error;
    }
  }
}

/** Give each call the first answer that bears its name and id, or its error. */
export function settle(calls: readonly Call<never>[], responses: readonly Invocation[]): void {
  for (const call of calls) {
    const own = responses.filter(([, , id]) => id === call.id);
    const answer = own.find(([name]) => name === call.name);
    const error = own.find(([name]) => name === "error");
    if (answer !== undefined) call.resolve(answer[1] as never);
    else if (error !== undefined) {
      const { type, description } = error[1] as { type?: string; description?: string };
      call.reject(new MethodError(type ?? "serverFail", description ?? ""));
    } else call.reject(new MethodError("serverFail", `${call.name} was not answered`));
  }
}

export async function openClient(wanted: readonly string[], onEnded: () => void): Promise<Client> {
  const response = await send("/.well-known/jmap", { headers: { accept: "application/json" } });
  if (response.status === 401) onEnded();
  if (!response.ok) throw await problemOf(response);
  const session = (await response.json()) as JmapSession;
  const using = [CORE, ...wanted.filter((capability) => capability in session.capabilities)];
  const accountId = wanted.map((capability) => session.primaryAccounts[capability]).find((id) => id !== undefined);
  if (accountId === undefined) throw new Problem(404, "no-mail", "");
  return new Client(session, using, accountId, onEnded);
}

/** Everything comes from where the page came from; an absolute address of ours is used by its path. */
export function pathOf(address: string): string {
  const match = /^https?:\/\/[^/]+(\/.*)$/.exec(address);
  return match?.[1] ?? address;
}
