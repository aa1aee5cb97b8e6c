/** What a page is asked to write down about itself while somebody uses it. */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** The part of sorted numbers below which this share of them stays. */
export function quantile(numbers, share) {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.round((sorted.length - 1) * share)];
}

/**
 * Begins to look at the page's thread and its pictures, in one window of time.
 *
 * A chain of turns tells how long the thread was held: between two of them lies the thread's work. Timers are easy on
 * the machine, but several tasks fit between two; messages have one task between two, and keep the thread busy.
 *
 * @param turns `timers` or `messages`
 */
export function startMeter(app, turns = 'timers') {
  return app.execute(
    `const meter = window.meter = { on: true, ticks: [], frames: [] };
     const { port1, port2 } = new MessageChannel();
     const next = arguments[0] === 'messages' ? () => port2.postMessage(null) : () => setTimeout(onTick, 0);
     let tick = performance.now(), frame;
     const onTick = port1.onmessage = () => {
       const now = performance.now();
       if (now > tick) meter.ticks.push(now - tick);
       tick = now;
       if (meter.on) next();
       else port1.close();
     };
     const onFrame = (now) => {
       if (frame !== undefined) meter.frames.push(now - frame);
       frame = now;
       if (meter.on) requestAnimationFrame(onFrame);
     };
     next();
     requestAnimationFrame(onFrame);`,
    turns,
  );
}

/** What was seen since {@link startMeter}: gaps between turns of the thread and between pictures, in milliseconds. */
export function stopMeter(app) {
  return app.execute('window.meter.on = false; return { ticks: window.meter.ticks, frames: window.meter.frames };');
}

/** Opens a page as a click does; the answer is how many milliseconds passed until it could be written in. */
export function openMeasured(app, title) {
  return app.executeAsync(
    `const [title, done] = arguments;
     const editor = () => document.querySelector('[data-editor]');
     const before = editor()?.dataset.page;
     const start = performance.now();
     const look = () => {
       if (editor()?.dataset.editor !== 'saved' || editor().dataset.page === before) return;
       observer.disconnect();
       // It can be written in once it was painted.
       requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
     };
     const observer = new MutationObserver(look);
     observer.observe(document.body, { subtree: true, childList: true, attributeFilter: ['data-editor', 'data-page'] });
     document.querySelector('[role=treeitem][aria-label="' + title + '"] .title').click();`,
    title,
  );
}

/** From here on, the page writes down when each key came and when its character was on the disk. */
export function startKeyTimes(app) {
  return app.execute(`
    const host = document.querySelector('[data-editor]');
    const keys = window.keys = { waiting: [], took: [], length: Number(host.dataset.acknowledgedLength) };
    const onKey = (event) => {
      if (event.key.length !== 1) return;
      keys.length += 1;
      keys.waiting.push({ at: performance.now(), length: keys.length });
    };
    host.addEventListener('keydown', onKey, true);
    new MutationObserver(() => {
      const now = performance.now();
      const durable = Number(host.dataset.acknowledgedLength);
      while (keys.waiting[0]?.length <= durable) keys.took.push(now - keys.waiting.shift().at);
    }).observe(host, { attributeFilter: ['data-acknowledged-length'] });
  `);
}

/** From key to disk, in milliseconds, for each key since {@link startKeyTimes}; and how many are not on it yet. */
export function keyTimes(app) {
  return app.execute('return { took: window.keys.took, waiting: window.keys.waiting.length };');
}

/** How long the disk itself needs to keep 4 KiB, again and again, in milliseconds. */
export function diskSyncs(folder, count) {
  const home = mkdtempSync(join(folder, 'sync-'));
  const file = openSync(join(home, 'file'), 'w');
  const block = Buffer.alloc(4096, 1);
  const times = [];
  for (let round = 0; round < count; round += 1) {
    const start = performance.now();
    writeSync(file, block);
    fdatasyncSync(file);
    times.push(performance.now() - start);
  }
  closeSync(file);
  rmSync(home, { recursive: true });
  return times;
}
