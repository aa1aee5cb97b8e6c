/** Carrying changes over to another document, as far as what they changed is still there. */
import { type Block, documentOf } from '../format/read';
import { Mapping, type Step, Transform } from 'prosemirror-transform';
import type { Schema } from 'prosemirror-model';
import { reconcile } from '../binding/reconcile';

const idsOf = (blocks: readonly Block[]): (string | null)[] => {
  const shown = blocks.filter((block) => block.node !== null);
  return shown.length > 0 ? shown.map((block) => block.id) : [null];
};

export interface Rebased {
  /** Makes the user's changes again, one after the other, from the page `theirs`. */
  readonly steps: readonly Step[];
  /** From positions in the user's page to those at the end. */
  readonly mapping: Mapping;
}

/** Takes what the user changed, from `base` to `mine`, over to `theirs`; what it was made in may be gone there. */
export function rebase(schema: Schema, base: readonly Block[], mine: readonly Block[], theirs: readonly Block[]): Rebased {
  const before = documentOf(schema, base);
  const changed = new Transform(before);
  reconcile(changed, idsOf(base), schema, mine);
  const other = new Transform(before);
  reconcile(other, idsOf(base), schema, theirs);
  const mapping = new Mapping();
  const { doc, steps: made, docs } = changed;
  const back = made.map((step, index) => step.invert(docs[index] ?? doc)).toReversed();
  for (const step of [...back, ...other.steps]) mapping.appendMap(step.getMap());
  const result = new Transform(other.doc);
  let from = made.length;
  for (const step of made) {
    const mapped = step.map(mapping.slice(from));
    from--;
    if (mapped !== null && result.maybeStep(mapped).failed === null) mapping.appendMap(mapped.getMap(), from);
  }
  return { steps: result.steps, mapping };
}
