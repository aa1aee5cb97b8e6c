import { DataStoreError } from './error';

/** Which document: a row's, or that of one of its formatted texts. */
export interface DocumentAddress {
  entity: string;
  id: string;
  /** The field with a document of its own; without it, the row's document. */
  field?: string;
}

/** What a followed document has become. */
export type Piece =
  /**
   * All of it. Comes first, and again when operations were taken out after the server refused them: then whatever was
   * made from earlier pieces is to be thrown away.
   */
  | {
      kind: 'snapshot';
      /** Fresh for each snapshot: the only peer id under which this follower may write. */
      peer: bigint;
      /** For Loro's `import`. */
      bytes: Uint8Array;
    }
  /** What was added since the piece before, this follower's own operations left out. For Loro's `import`. */
  | { kind: 'update'; bytes: Uint8Array };

export interface DocumentListener {
  piece(piece: Piece): void;
  /** The document can be followed no longer: `ROW_NOT_FOUND` after its row was taken out. Nothing comes after it. */
  ended(error: DataStoreError): void;
}

const SNAPSHOT = 0;
const UPDATE = 1;
const PEER_BYTES = 8;

/** Reads a piece as the store sends it: a tag; for a snapshot the peer id, little-endian; then the document's bytes. */
export function decodePiece(message: unknown): Piece {
  const bytes = message instanceof ArrayBuffer ? new Uint8Array(message) : new Uint8Array();
  const [tag] = bytes;
  if (tag === UPDATE) return { kind: 'update', bytes: bytes.subarray(1) };
  if (tag === SNAPSHOT && bytes.length >= 1 + PEER_BYTES) {
    const peer = new DataView(bytes.buffer).getBigUint64(1, true);
    return { kind: 'snapshot', peer, bytes: bytes.subarray(1 + PEER_BYTES) };
  }
  throw new DataStoreError({ code: 'INTERNAL', message: 'a piece of a document cannot be read', details: null });
}
