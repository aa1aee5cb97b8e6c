import type { Json } from './rows';

/** What an app declares about its data. */
export interface Manifest {
  manifest_version: number;
  /** The app's own name for its kind of workspace. */
  name: string;
  version: number;
  entities: Entity[];
}

/** A manifest as a store opened it. */
export interface OpenedManifest {
  manifest: Manifest;
  /** Identifies the manifest's content, equal on every device that runs the same one. */
  hash: string;
}

export interface Entity {
  name: string;
  fields: Field[];
  relations?: Relation[];
}

export interface Field {
  name: string;
  /** `string`, `int`, `richtext`, `id(Page)`, `list(string)`, … */
  type: string;
  optional?: boolean;
  unique?: boolean;
  default?: Json;
  /** The most characters of a text. */
  max_length?: number;
  /** The names that an `enum` may have. */
  values?: string[];
}

export interface Relation {
  name: string;
  target: string;
  field: string;
  many?: boolean;
  /** The field is a place in a tree: rows also show `<field>_order`, the order among siblings. */
  tree?: boolean;
}
