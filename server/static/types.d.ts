/**
 * The shapes of what crosses the wire (`server/http/schemas` says what each field means) and of what the page's own
 * modules hand to each other. Read by the type checker alone; the browser never asks for this file.
 */

export interface Failure {
  root: string;
  source: string;
  reason: string;
  hint: string;
  attempts: number;
  failed_at: string;
  kind: "unreadable" | "quarantined" | "forgotten";
  next_try_at: string | null;
}

export interface Document {
  id: string;
  title: string;
  root: string;
  source: string;
  media_type: string;
  tags: string[];
  date: string | null;
  page_count: number | null;
  unread_pages: number[];
  view: "pages" | "markdown" | "text";
  ocr_pages: number[];
  chunk_count: number;
  text_chars: number;
  size_bytes: number;
  modified: string;
  indexed_at: string;
  url: string;
}

/** A stretch of a document; `start` and `end` in code points. */
export interface DocumentText extends Document {
  start: number;
  end: number;
  text: string;
}

/** A page of a file as it is shown; `width` and `height` in points, `start` and `end` in code points. */
export interface FilePage {
  number: number;
  label: string;
  width: number;
  height: number;
  start: number | null;
  end: number | null;
}

export interface FilePages {
  pages: FilePage[];
  changed: boolean;
}

/** Left, top, width and height as parts of the page, 0…1. */
export type Box = [number, number, number, number];

export interface PageBoxes {
  boxes: Box[];
  changed: boolean;
}

export interface PageLines {
  lines: { text: string; box: Box }[];
}

export interface RenderedText {
  html: string;
  start: number;
  end: number;
  text_chars: number;
}

/** A place inside a document where a text was found. */
export interface Match {
  start: number;
  end: number;
  page: number | null;
  before: string;
  text: string;
  after: string;
}

/** A page of the documents; only the first one holds failures and what is pending. */
/** A link between documents; `document_id`, `title`, `source` and `url` are of its other end, which may not be there. */
export interface DocumentLink {
  target: string;
  document_id: string | null;
  title: string;
  source: string;
  url: string | null;
}

export interface DocumentLinks {
  to: DocumentLink[];
  by: DocumentLink[];
}

export interface DocumentList {
  documents: Document[];
  failures: Failure[];
  pending: string[];
  total: number;
  next: string | null;
}

/** The events that tell what changes in the service, by name. */
export interface ChangeEvents {
  status: Status;
  documents: object;
}

export interface Uploaded {
  root: string;
  source: string;
}

export interface WireError {
  code: string;
  message?: string;
  hint?: string;
}

/** An error as the page shows it: what the service said, or what kept it from being asked. */
export interface Problem extends WireError {
  retryAfter?: number | null;
}

export interface Progress {
  label: string;
  done: number;
  total: number | null;
  unit: string;
}

export interface Work {
  files_done: number;
  files_total: number;
  chunks_done: number;
  files_per_second: number;
  chunks_per_second: number;
  seconds_left: number | null;
}

export interface Model {
  state: "missing" | "downloading" | "loading" | "ready" | "failed";
  name: string;
  note: string;
  reasons: boolean;
  context_tokens: number | null;
  host: string | null;
  device: string | null;
  progress: Progress | null;
  error: WireError | null;
}

export interface IndexCounts {
  documents: number;
  pending: number;
  failed: number;
  last_sync: string | null;
  refreshed?: string[];
  stale?: string[];
}

export interface IndexStatus extends IndexCounts {
  current: string | null;
  pages_to_scan: number;
  degraded: boolean;
  error: WireError | null;
  work: Work | null;
  building: Progress | null;
}

export interface Folder {
  path: string;
  reachable: boolean;
}

export interface Models {
  answer: Model;
  embedding: Model;
  reranker: Model | null;
}

export interface Status {
  version: string;
  ready: boolean;
  documents: number;
  chunks: number;
  folders: Folder[];
  index: IndexStatus;
  failures: Failure[];
  unsupported: Record<string, number>;
  models: Models;
}

/** Where something stands in a document; `start` and `end` in code points. */
export interface Place {
  document_id: string;
  title: string;
  source: string;
  page: number | null;
  page_label?: string;
  by_ocr?: boolean;
  heading: string;
  start: number;
  end: number;
  url?: string;
}

export interface Passage extends Place {
  number: number;
  text: string;
  older_versions?: string[];
}

export interface Citation extends Place {
  number: number;
  quote: string;
  answer_start: number;
  answer_end: number;
  verified: boolean;
  verdict: "supported" | "contradicted" | "not_shown";
  probability: number | null;
  standing?: Standing;
}

/** What a view of the viewer shows: a document, and in it what is marked, where it stands now; in code points. */
export interface Target {
  document: Document;
  start: number;
  end: number;
  page: number | null;
  quote: string;
}

/** One way to show a document in the viewer. */
export interface View {
  show(target: Target, signal: AbortSignal): Promise<void>;
  clear(): void;
}

/** What the viewer shows: a citation, a passage, or a document from its beginning. */
export type Shown = Citation | Passage | (Omit<Place, "page" | "heading"> & { page?: null; heading?: "" });

export interface Timings {
  total_ms: number;
  retrieve_ms: number;
  first_reasoning_ms: number | null;
  first_answer_ms: number | null;
  prompt_tokens: number;
  reasoning_tokens: number;
  answer_tokens: number;
}

export interface LeftOut {
  turns?: number;
  passages?: number[];
  instructions?: number;
  kept_here?: number;
}

export interface Answer {
  answer: string;
  reasoning: string;
  citations: Citation[];
  passages: Passage[];
  answerable: boolean;
  model: string;
  finish_reason: string;
  timings: Timings;
  index: IndexCounts;
  left_out?: LeftOut;
  draft: string;
  instead?: string;
  personal?: { kind: string; start: number; end: number }[];
  kind?: string;
  documents?: Pick<Document, "id" | "title" | "source">[];
}

/** The events of a streamed answer, by name. */
export interface AnswerEvents {
  waiting: { place: number };
  passages: { passages: Passage[] };
  step: { doing: "part" | "section" | "passage" | "numbers" | "compose"; number: number; of: number; about: string };
  reasoning: { text: string };
  answer: { text: string };
  citation: Citation;
  done: Answer;
  error: { error: WireError };
}

/** What has become of a quote since: there, no longer what its document says, or its document is not indexed. */
export type Standing = "there" | "changed" | "gone";

/** A turn as it is kept. */
export interface KeptTurn {
  question: string;
  answer: string;
  citations: Citation[];
  model: string;
  finish_reason: string;
}

export interface ListedConversation {
  id: string;
  title: string;
  changed_at: string;
  turns: number;
}

export interface Conversation extends Omit<ListedConversation, "turns"> {
  turns: KeptTurn[];
}

export interface ConversationList {
  conversations: ListedConversation[];
  keeps: boolean;
}

export interface Exchange {
  question: string;
  answer: string;
}

export type ListedKind = "folders" | "types" | "tags";
export type DayKind = "since" | "until";
export type FilterKind = ListedKind | DayKind | "document_ids";

export interface Filter {
  kind: FilterKind;
  value: string;
  label?: string;
}

/** A filter that is offered, with the number of documents that pass it. */
export interface Choice extends Filter {
  kind: ListedKind;
  label: string;
  count: number;
}

export type WireFilters = Record<ListedKind | "document_ids", string[]> & Record<DayKind, string | null>;

/** How a question is to be answered; without a kind, the service tells it from what is asked. */
export interface AskOptions {
  effort?: string;
  kind?: string;
}

export interface AskBody {
  question: string;
  history: Exchange[];
  filters: WireFilters | null;
  thinking?: string;
  effort?: string;
  kind?: string;
}

/** What stands in the places of a message. */
export type Values = Record<string, string | number | null | undefined>;
export type Message = string | ((values: any) => string);

/** The nodes of `index.html` that are more than an `HTMLElement`, by id. */
export interface PageElements {
  "ask-form": HTMLFormElement;
  "confirm": HTMLDialogElement;
  "conversations-search": HTMLInputElement;
  "documents-filter": HTMLInputElement;
  "filter-since": HTMLInputElement;
  "filter-until": HTMLInputElement;
  "kind": HTMLSelectElement;
  "shortcut": HTMLInputElement;
  "question": HTMLTextAreaElement;
  "status-button": HTMLButtonElement;
  "token": HTMLInputElement;
  "token-dialog": HTMLDialogElement;
  "upload-input": HTMLInputElement;
  "viewer": HTMLDialogElement;
  "viewer-next": HTMLButtonElement;
  "viewer-page": HTMLInputElement;
  "viewer-search": HTMLInputElement;
  "viewer-search-next": HTMLButtonElement;
  "viewer-search-previous": HTMLButtonElement;
  "viewer-zoom-in": HTMLButtonElement;
  "viewer-zoom-out": HTMLButtonElement;
  "viewer-original": HTMLAnchorElement;
  "viewer-previous": HTMLButtonElement;
  "work-bar": HTMLProgressElement;
}
