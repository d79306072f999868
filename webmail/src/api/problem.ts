/** What the open API says when it refuses: problem details (RFC 9457). */
export interface FieldFault {
  readonly detail: string;
  readonly pointer?: string;
}

export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly kind: string,
    readonly detail: string,
    readonly faults: readonly FieldFault[] = [],
    readonly reference = "",
  ) {
    super(detail || kind || String(status));
  }

  /** The sentence for one field of the body, if the server named it. */
  faultOf(field: string): string | undefined {
    return this.faults.find((fault) => fault.pointer === `#/${field}`)?.detail;
  }
}

/** The network failed: nothing is known of what became of the request. */
export class Unreachable extends Error {}

/** The reader thought better of it: nothing was sent. */
export class Cancelled extends Error {}

export async function problemOf(response: Response): Promise<Problem> {
  const body: unknown = await response.json().catch(() => null);
  const said = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  const faults = Array.isArray(said.errors) ? (said.errors as FieldFault[]) : [];
  const kind = typeof said.type === "string" ? (said.type.split(/[:/#]/).pop() ?? "") : "";
  const reference = typeof said.instance === "string" ? (said.instance.split(":").pop() ?? "") : "";
  return new Problem(response.status, kind, typeof said.detail === "string" ? said.detail : "", faults, reference);
}
