/** Carrying changes over to another document, as far as what they changed is still there. */
import { type Block, documentOf } from '../format/read';
import { Mapping, ReplaceStep, type Step, type StepMap, Transform } from 'prosemirror-transform';
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

/** Takes what the user changed, from `base` to `mine`, over to `theirs`. Where the block it was typed in is gone, the text stays. */
export function rebase(
  schema: Schema,
  base: readonly Block[],
  mine: readonly Block[],
  theirs: readonly Block[],
): Rebased {
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
    const rest = mapping.slice(from);
    const mapped = step.map(rest);
    from--;
    if (mapped !== null && result.maybeStep(mapped).failed === null) mapping.appendMap(mapped.getMap(), from);
    else for (const map of rescue(result, step, rest)) mapping.appendMap(map);
  }
  return { steps: result.steps, mapping };
}

/** Puts the text of a step whose place is gone into a paragraph of its own, next to where that place was. */
function rescue(result: Transform, step: Step, mapping: Mapping): readonly StepMap[] {
  if (!(step instanceof ReplaceStep)) return [];
  const text = step.slice.content.textBetween(0, step.slice.content.size, ' ', ' ');
  if (text.trim() === '') return [];
  const at = result.doc.resolve(Math.min(mapping.map(step.from), result.doc.content.size));
  const { schema } = result.doc.type;
  const count = result.steps.length;
  result.insert(at.depth > 0 ? at.after(1) : at.pos, schema.node('paragraph', null, schema.text(text)));
  return result.mapping.maps.slice(count);
}
