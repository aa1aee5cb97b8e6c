import { expect, test } from 'vitest';
import { defaultSettings, readSettings } from './shell';

test('a settings file is taken as far as it is understood', () => {
  expect(readSettings({ theme: 'dark', zoom: 130, sidebar_width: 300, sidebar_collapsed: true, last_page: 'p', other: 1 })).toEqual({
    theme: 'dark',
    zoom: 130,
    sidebar_width: 300,
    sidebar_collapsed: true,
    last_page: 'p',
  });
  expect(readSettings({ theme: 'pink', zoom: 'big', sidebar_width: 9_000, sidebar_collapsed: 'yes', last_page: 3 })).toEqual({
    ...defaultSettings,
    sidebar_width: 400,
  });
  for (const nothing of [null, undefined, 'text', 7, []]) expect(readSettings(nothing)).toEqual(defaultSettings);
});
