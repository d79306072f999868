/** The objects of JMAP that the client reads (RFC 8620, 8621), with the properties that it asks for. */
export const CORE = "urn:ietf:params:jmap:core";
export const MAIL = "urn:ietf:params:jmap:mail";
export const SUBMISSION = "urn:ietf:params:jmap:submission";

export type Id = string;

export interface JmapSession {
  readonly capabilities: Readonly<Record<string, unknown>>;
  readonly primaryAccounts: Readonly<Record<string, Id>>;
  readonly username: string;
  readonly apiUrl: string;
  readonly downloadUrl: string;
  readonly uploadUrl: string;
  readonly eventSourceUrl?: string;
  readonly state: string;
}

export type Role = "inbox" | "drafts" | "sent" | "archive" | "junk" | "trash";

export interface Mailbox {
  readonly id: Id;
  readonly name: string;
  readonly parentId: Id | null;
  readonly role: string | null;
  readonly sortOrder: number;
  readonly totalEmails: number;
  readonly unreadEmails: number;
  readonly totalThreads: number;
  readonly unreadThreads: number;
}

export interface Person {
  readonly name: string | null;
  readonly email: string;
}

/** What a row of the list shows. */
export interface Email {
  readonly id: Id;
  readonly blobId: Id;
  readonly threadId: Id;
  readonly mailboxIds: Readonly<Record<Id, true>>;
  readonly keywords: Readonly<Record<string, true>>;
  readonly from: readonly Person[] | null;
  readonly to: readonly Person[] | null;
  readonly subject: string | null;
  readonly receivedAt: string;
  readonly preview: string;
  readonly hasAttachment: boolean;
  readonly size: number;
}

export const ROW_PROPERTIES = [
  "id",
  "blobId",
  "threadId",
  "mailboxIds",
  "keywords",
  "from",
  "to",
  "subject",
  "receivedAt",
  "preview",
  "hasAttachment",
  "size",
] as const;

export interface BodyPart {
  readonly partId: string | null;
  readonly blobId: Id | null;
  readonly size: number;
  readonly name: string | null;
  readonly type: string;
  readonly disposition: string | null;
}

export interface BodyValue {
  readonly value: string;
  readonly isTruncated: boolean;
}

/** What the reading pane shows besides. */
export interface EmailDetails {
  readonly id: Id;
  readonly cc: readonly Person[] | null;
  readonly bcc: readonly Person[] | null;
  readonly replyTo: readonly Person[] | null;
  readonly messageId: readonly string[] | null;
  readonly inReplyTo: readonly string[] | null;
  readonly references: readonly string[] | null;
  readonly sentAt: string | null;
  readonly textBody: readonly BodyPart[];
  readonly htmlBody: readonly BodyPart[];
  readonly attachments: readonly BodyPart[];
  readonly bodyValues: Readonly<Record<string, BodyValue>>;
}

export const DETAIL_PROPERTIES = [
  "id",
  "cc",
  "bcc",
  "replyTo",
  "messageId",
  "inReplyTo",
  "references",
  "sentAt",
  "textBody",
  "htmlBody",
  "attachments",
  "bodyValues",
] as const;

export interface Identity {
  readonly id: Id;
  readonly name: string;
  readonly email: string;
}

export interface SetError {
  readonly type: string;
  readonly description?: string;
}

export interface GetResponse<Thing> {
  readonly state: string;
  readonly list: readonly Thing[];
  readonly notFound: readonly Id[];
}

export interface ChangesResponse {
  readonly newState: string;
  readonly hasMoreChanges: boolean;
  readonly created: readonly Id[];
  readonly updated: readonly Id[];
  readonly destroyed: readonly Id[];
}

export interface QueryResponse {
  readonly queryState: string;
  readonly canCalculateChanges: boolean;
  readonly position: number;
  readonly ids: readonly Id[];
  readonly total?: number;
}

export interface SetResponse {
  readonly newState: string;
  readonly created?: Readonly<Record<string, { readonly id: Id }>> | null;
  readonly notCreated?: Readonly<Record<string, SetError>> | null;
  readonly notUpdated?: Readonly<Record<Id, SetError>> | null;
  readonly notDestroyed?: Readonly<Record<Id, SetError>> | null;
}
