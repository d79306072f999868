/** Files on their way into a letter: uploaded as they are added (RFC 8620 §6.1), with what has gone so far. */
import { signal } from "@preact/signals";
import { Problem, Unreachable } from "../api/problem.ts";
import { pathOf } from "../jmap/client.ts";
import type { Id } from "../jmap/types.ts";
import { requireClient } from "./store.ts";

/** A file of a letter that the server has. */
export interface LetterFile {
  readonly blobId: Id;
  readonly name: string;
  readonly type: string;
  readonly size: number;
}

/** One that is on its way. */
export interface Upload {
  readonly key: number;
  readonly name: string;
  readonly size: number;
  /** 0 to 1. */
  readonly done: number;
  readonly failed: boolean;
  stop(): void;
}

export const uploads = signal<readonly Upload[]>([]);

let last = 0;

/** Send a file; the promise gives null when it was stopped or failed, which its entry in `uploads` shows. */
export function upload(file: File): Promise<LetterFile | null> {
  const key = ++last;
  const name = file.name || "image.png";
  const wire = new XMLHttpRequest();
  const change = (part: Partial<Upload>) => {
    uploads.value = uploads.peek().map((each) => (each.key === key ? { ...each, ...part } : each));
  };
  const leave = () => {
    uploads.value = uploads.peek().filter((each) => each.key !== key);
  };
  const stop = () => {
    wire.abort();
    leave();
  };
  uploads.value = [...uploads.peek(), { key, name, size: file.size, done: 0, failed: false, stop }];
  return new Promise((resolve) => {
    wire.upload.onprogress = ({ loaded, total }) => change({ done: total > 0 ? loaded / total : 0 });
    wire.onabort = () => resolve(null);
    wire.onerror = () => {
      change({ failed: true });
      resolve(null);
    };
    wire.onload = () => {
      const answer = wire.status < 300 ? (JSON.parse(wire.responseText) as { blobId: Id; size: number }) : null;
      if (answer === null) {
        change({ failed: true });
        resolve(null);
        return;
      }
      leave();
      resolve({ blobId: answer.blobId, name, type: file.type || "application/octet-stream", size: answer.size });
    };
    const client = requireClient();
    wire.open("POST", pathOf(client.session.uploadUrl.replace("{accountId}", encodeURIComponent(client.accountId))));
    wire.setRequestHeader("content-type", file.type || "application/octet-stream");
    wire.send(file);
  });
}

const SAYS = /附件|附上|附档|\battach(?:ed|ment|ments|ing)?\b|\benclosed\b/iu;

/** Whether a letter speaks of something attached that is not there. What is quoted does not count. */
export function forgetsFile(text: string, subject: string, files: number): boolean {
  const own = text
    .split("\n")
    .filter((line) => !line.startsWith(">"))
    .join("\n")
    .split(/^-{5,} /mu)[0];
  return files === 0 && (SAYS.test(own ?? "") || SAYS.test(subject.replace(/^(re|回复|答复)\s*[:：].*/iu, "")));
}

/** A sentence for what went wrong, with the reference that the server's log knows. */
export function sentenceOf(error: unknown, unreachable: string, reference: (id: string) => string): string {
  if (error instanceof Unreachable) return unreachable;
  const said = (error as Error).message;
  return error instanceof Problem && error.reference ? `${said} ${reference(error.reference)}` : said;
}
