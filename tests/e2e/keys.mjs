/** Keys as the driver's protocol names them. */

const codes = {
  Control: '\uE009',
  Shift: '\uE008',
  Alt: '\uE00A',
  Enter: '\uE007',
  Tab: '\uE004',
  Escape: '\uE00C',
  Backspace: '\uE003',
  Delete: '\uE017',
  Home: '\uE011',
  End: '\uE010',
  ArrowLeft: '\uE012',
  ArrowUp: '\uE013',
  ArrowRight: '\uE014',
  ArrowDown: '\uE015',
  F2: '\uE032',
  F6: '\uE036',
};

/** The action of typing a text, a key after the other. */
export function typing(text) {
  return keyboard([...text].flatMap((value) => [down(value), up(value)]));
}

/** The action of pressing a shortcut such as `Control+Shift+N`. */
export function keyPress(shortcut) {
  const keys = shortcut.split('+').map((key) => codes[key] ?? key.toLowerCase());
  return keyboard([...keys.map(down), ...keys.toReversed().map(up)]);
}

function keyboard(actions) {
  return { type: 'key', id: 'keyboard', actions };
}

const down = (value) => ({ type: 'keyDown', value });
const up = (value) => ({ type: 'keyUp', value });
