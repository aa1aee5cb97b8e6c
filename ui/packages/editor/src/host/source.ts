/** What comes of a followed document. */
export type DocumentPiece =
  /** All of it. Comes first; a later one replaces the document, for instance without a refused write. */
  | { kind: 'snapshot'; peer: bigint; bytes: Uint8Array }
  /** What was added since the piece before. */
  | { kind: 'update'; bytes: Uint8Array };

/** Where a document lives. The editor needs nothing else of its host. */
export interface DocumentSource {
  /** Follows the document: first a snapshot, then updates; a later snapshot replaces the document. */
  follow(listener: (piece: DocumentPiece) => void): Promise<() => void>;
  /** Resolves once the update is durable on this disk. */
  push(update: Uint8Array): Promise<{ commit: string | null; seq: number }>;
}
