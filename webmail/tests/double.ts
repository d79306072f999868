/** A server of JMAP in memory, with as much of it as the client uses; for tests alone. */
type Record_ = Record<string, unknown>;
type Invocation = [string, Record_, string];

export interface Stored {
  id: string;
  threadId: string;
  mailboxIds: Record<string, true>;
  keywords: Record<string, true>;
  from: { name: string | null; email: string }[];
  to: { name: string | null; email: string }[];
  subject: string;
  receivedAt: string;
  preview: string;
  hasAttachment: boolean;
  size: number;
  text: string;
  attachments?: Record_[];
}

export const ROLES = ["inbox", "drafts", "sent", "archive", "junk", "trash"] as const;

export class Double {
  readonly requests: Invocation[][] = [];
  private readonly log: { id: string; kind: "created" | "updated" | "destroyed" }[] = [];
  private made = 0;

  constructor(
    readonly emails: Map<string, Stored>,
    readonly extra: { id: string; name: string }[] = [],
  ) {}

  get state(): string {
    return String(this.log.length);
  }

  session(): Record_ {
    const uris = ["core", "mail", "submission"].map((name) => `urn:ietf:params:jmap:${name}`);
    return {
      capabilities: Object.fromEntries(uris.map((uri) => [uri, {}])),
      primaryAccounts: Object.fromEntries(uris.map((uri) => [uri, "A"])),
      username: "user@hongyan.test",
      apiUrl: "http://localhost/jmap",
      downloadUrl: "/jmap/download/{accountId}/{blobId}/{name}?accept={type}",
      uploadUrl: "/jmap/upload/{accountId}",
      state: "1",
    };
  }

  arrive(email: Stored): void {
    this.emails.set(email.id, email);
    this.log.push({ id: email.id, kind: "created" });
  }

  answer(calls: Invocation[]): Invocation[] {
    this.requests.push(calls);
    const done: Invocation[] = [];
    for (const [name, given, id] of calls) done.push(this.one(name, resolve(given, done), id));
    return done;
  }

  private one(name: string, given: Record_, id: string): Invocation {
    switch (name) {
      case "Mailbox/get":
        return [name, { state: this.state, list: this.mailboxes(), notFound: [] }, id];
      case "Identity/get":
        return [name, { state: "1", list: [{ id: "I", name: "", email: "user@hongyan.test" }], notFound: [] }, id];
      case "Email/query":
        return [name, this.query(given), id];
      case "Email/get":
        return [name, this.get(given), id];
      case "Thread/get":
        return [name, this.threads(given.ids as string[]), id];
      case "Email/changes":
        return [name, this.changes(Number(given.sinceState)), id];
      case "Email/set":
        return [name, this.set(given), id];
      case "EmailSubmission/set":
        return [name, { newState: "1", created: { sending: { id: "S" } } }, id];
      default:
        return ["error", { type: "unknownMethod" }, id];
    }
  }

  private mailboxes(): Record_[] {
    const all = [...this.emails.values()];
    const named = [
      ...ROLES.map((role) => ({ id: role, name: role, role: role as string | null })),
      ...this.extra.map((box) => ({ ...box, role: null })),
    ];
    return named.map(({ id, name, role }, at) => {
      const own = all.filter((email) => id in email.mailboxIds);
      const fresh = own.filter((email) => !("$seen" in email.keywords));
      return {
        id,
        name,
        role,
        parentId: null,
        sortOrder: at,
        totalEmails: own.length,
        unreadEmails: fresh.length,
        totalThreads: new Set(own.map(({ threadId }) => threadId)).size,
        unreadThreads: new Set(fresh.map(({ threadId }) => threadId)).size,
      };
    });
  }

  private query({ filter, position, limit }: Record_): Record_ {
    const wanted = (filter ?? {}) as { inMailbox?: string; text?: string };
    const seen = new Set<string>();
    const ids = [...this.emails.values()]
      .filter((email) => wanted.inMailbox === undefined || wanted.inMailbox in email.mailboxIds)
      .filter((email) => wanted.text === undefined || (email.subject + email.text).includes(wanted.text))
      .sort((one, other) => (one.receivedAt < other.receivedAt ? 1 : -1))
      .filter(({ threadId }) => !seen.has(threadId) && seen.add(threadId))
      .map(({ id }) => id);
    const from = position as number;
    return {
      queryState: this.state,
      canCalculateChanges: false,
      position: from,
      ids: ids.slice(from, from + (limit as number)),
      total: ids.length,
    };
  }

  private get({ ids, properties }: Record_): Record_ {
    const list = (ids as string[]).flatMap((id) => this.emails.get(id) ?? []);
    const shown = list.map((email) => {
      const whole: Record_ = {
        ...email,
        cc: [],
        bcc: [],
        replyTo: null,
        messageId: [`${email.id}@hongyan.test`],
        inReplyTo: null,
        references: null,
        sentAt: email.receivedAt,
        textBody: [{ partId: "1", type: "text/plain" }],
        htmlBody: [],
        attachments: email.attachments ?? [],
        bodyValues: { "1": { value: email.text, isTruncated: false } },
      };
      return Object.fromEntries(["id", ...(properties as string[])].map((name) => [name, whole[name]]));
    });
    return { state: this.state, list: shown, notFound: [] };
  }

  private threads(ids: string[]): Record_ {
    const list = ids.map((id) => ({
      id,
      emailIds: [...this.emails.values()]
        .filter(({ threadId }) => threadId === id)
        .sort((one, other) => (one.receivedAt < other.receivedAt ? -1 : 1))
        .map((email) => email.id),
    }));
    return { state: this.state, list, notFound: [] };
  }

  private changes(since: number): Record_ {
    const told = { created: new Set<string>(), updated: new Set<string>(), destroyed: new Set<string>() };
    for (const { id, kind } of this.log.slice(since)) told[kind].add(id);
    const lists = Object.fromEntries(Object.entries(told).map(([kind, ids]) => [kind, [...ids]]));
    return { newState: this.state, hasMoreChanges: false, ...lists };
  }

  private set(given: Record_): Record_ {
    const created: Record<string, { id: string }> = {};
    for (const [key, wanted] of Object.entries((given.create ?? {}) as Record<string, Record_>)) {
      const id = `new${++this.made}`;
      const values = wanted.bodyValues as Record<string, { value: string }>;
      const text = Object.values(values)[0]?.value ?? "";
      const receivedAt = "2026-11-24T09:00:00Z";
      this.arrive({
        ...(wanted as unknown as Stored),
        id,
        threadId: id,
        receivedAt,
        preview: text,
        text,
        size: 1,
        hasAttachment: false,
      });
      created[key] = { id };
    }
    const notUpdated: Record<string, Record_> = {};
    for (const [id, patch] of Object.entries((given.update ?? {}) as Record<string, Record<string, true | null>>)) {
      const email = this.emails.get(id);
      if (email === undefined) {
        notUpdated[id] = { type: "notFound" };
        continue;
      }
      for (const [path, value] of Object.entries(patch)) {
        const [property, name] = path.split("/") as ["keywords" | "mailboxIds", string];
        const set = { ...email[property] };
        if (value === null) delete set[name];
        else set[name] = true;
        email[property] = set;
      }
      this.log.push({ id, kind: "updated" });
    }
    for (const id of (given.destroy ?? []) as string[]) {
      this.emails.delete(id);
      this.log.push({ id, kind: "destroyed" });
    }
    return { newState: this.state, created, notUpdated };
  }
}

/** RFC 8620 §3.7, with the one `*` that the client uses. */
function resolve(given: Record_, done: Invocation[]): Record_ {
  const whole: Record_ = {};
  for (const [name, value] of Object.entries(given)) {
    if (!name.startsWith("#")) whole[name] = value;
    else {
      const { resultOf, path } = value as { resultOf: string; path: string };
      const source = done.find(([, , id]) => id === resultOf)?.[1];
      whole[name.slice(1)] = walk(source, path.split("/").slice(1));
    }
  }
  return whole;
}

function walk(value: unknown, path: string[]): unknown {
  const [head, ...rest] = path;
  if (head === undefined) return value;
  if (head === "*") return (value as unknown[]).flatMap((each) => walk(each, rest) as unknown[]);
  return walk((value as Record_)[head], rest);
}
