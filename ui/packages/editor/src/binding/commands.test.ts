/** ProseMirror's own commands on the flat schema. */
import { AllSelection, type Command, NodeSelection, TextSelection } from 'prosemirror-state';
import { Fragment, Slice } from 'prosemirror-model';
import {
  deleteSelection,
  joinBackward,
  joinForward,
  newlineInCode,
  setBlockType,
  splitBlock,
  toggleMark,
} from 'prosemirror-commands';
import { Peer, nodes } from './testing';
import { expect, it } from 'vitest';
import { schema } from '../schema';

const START = 'heading{level:1}"head" | p"one" | list_item{kind:task,indent:1}"two" | p""';
const pasted = Fragment.from(
  nodes(schema, [
    ['heading', 'PA', { level: 2 }],
    ['paragraph', 'STE'],
  ]),
);
const insert =
  (slice: Slice): Command =>
  (state, dispatch) => {
    dispatch?.(state.tr.replaceSelection(slice));
    return true;
  };
const typed =
  (text: string): Command =>
  (state, dispatch) => {
    dispatch?.(state.tr.insertText(text));
    return true;
  };

const cases: [string, number | [number, number] | 'all' | 'node', Command, string][] = [
  [
    'Enter in a heading',
    3,
    splitBlock,
    'heading{level:1}"he" | heading{level:1}"ad" | p"one" | list_item{kind:task,indent:1}"two" | p""',
  ],
  [
    'Enter at the end of a heading',
    5,
    splitBlock,
    'heading{level:1}"head" | p"" | p"one" | list_item{kind:task,indent:1}"two" | p""',
  ],
  [
    'Enter at the start',
    1,
    splitBlock,
    'p"" | heading{level:1}"head" | p"one" | list_item{kind:task,indent:1}"two" | p""',
  ],
  [
    'Backspace at the start of the second block',
    7,
    joinBackward,
    'heading{level:1}"headone" | list_item{kind:task,indent:1}"two" | p""',
  ],
  ['Backspace at the start of the page', 1, joinBackward, START],
  ['Delete at the end', 5, joinForward, 'heading{level:1}"headone" | list_item{kind:task,indent:1}"two" | p""'],
  [
    'Backspace in the empty last block',
    17,
    joinBackward,
    'heading{level:1}"head" | p"one" | list_item{kind:task,indent:1}"two"',
  ],
  ['deleting over three blocks', [3, 14], deleteSelection, 'heading{level:1}"heo" | p""'],
  ['deleting everything', 'all', deleteSelection, 'p""'],
  [
    'deleting a selected block',
    'node',
    deleteSelection,
    'heading{level:1}"head" | list_item{kind:task,indent:1}"two" | p""',
  ],
  ['typing over three blocks', [3, 14], typed('Z'), 'heading{level:1}"heZo" | p""'],
  [
    'a type for a range',
    [3, 14],
    setBlockType(schema.node('quote').type),
    'quote"head" | quote"one" | quote"two" | p""',
  ],
  [
    'bold for a range',
    [3, 14],
    toggleMark(schema.mark('bold').type),
    'heading{level:1}"he<bold>ad</>" | p"<bold>one</>" | list_item{kind:task,indent:1}"<bold>tw</>o" | p""',
  ],
  [
    'pasting two blocks',
    9,
    insert(new Slice(pasted, 0, 0)),
    'heading{level:1}"head" | p"on" | heading{level:2}"PA" | p"STE" | p"e" | list_item{kind:task,indent:1}"two" | p""',
  ],
  [
    'pasting an open slice',
    9,
    insert(new Slice(pasted, 1, 1)),
    'heading{level:1}"head" | p"onPA" | p"STEe" | list_item{kind:task,indent:1}"two" | p""',
  ],
];

function select(peer: Peer, where: (typeof cases)[number][1]): void {
  const { doc } = peer.state;
  const selection =
    where === 'all'
      ? new AllSelection(doc)
      : where === 'node'
        ? NodeSelection.create(doc, 6)
        : typeof where === 'number'
          ? TextSelection.create(doc, where)
          : TextSelection.create(doc, ...where);
  peer.view.dispatch(peer.state.tr.setSelection(selection));
}

it.each(cases)('%s', (_name, where, command, wanted) => {
  const peer = new Peer(1).write(
    ['heading', 'head', { level: 1 }],
    ['paragraph', 'one'],
    ['list_item', 'two', { kind: 'task', indent: 1 }],
    ['paragraph'],
  );
  select(peer, where);
  command(peer.state, (tr) => peer.edit(() => tr));
  expect(peer.page).toBe(wanted);
  peer.verify();
  // Where the command had nothing to do there is nothing of it to take back.
  if (wanted !== START) peer.binding.undo();
  expect(peer.page).toBe(START);
  peer.verify();
});

it('turns prose into code and back without losing its line breaks', () => {
  const peer = new Peer(1).write(['paragraph', 'ab']);
  peer.edit((tr) => tr.insert(2, schema.node('hard_break')));
  const before = peer.doc.getText('text').toString();
  peer.edit((tr) => tr.setBlockType(1, 1, schema.node('code_block').type));
  expect(peer.page).toBe('code_block"a\\nb"');
  peer.verify();
  peer.view.dispatch(peer.state.tr.setSelection(TextSelection.create(peer.state.doc, 2)));
  newlineInCode(peer.state, (tr) => peer.edit(() => tr));
  peer.edit((tr) => tr.setBlockType(1, 1, schema.node('paragraph').type));
  expect(peer.page).toBe('p"a\\n\\nb"');
  peer.verify();
  expect(peer.doc.getText('text').toString()).toBe(before.replace('\u2028', '\u2028\u2028'));
});
