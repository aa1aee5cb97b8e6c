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
}

export interface Relation {
  name: string;
  target: string;
  field: string;
  many?: boolean;
  tree?: boolean;
}
