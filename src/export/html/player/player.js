// The player of the page. It shows frames that were rendered when the page was made (film.rs), loads nothing, and
// puts text of the recording into text nodes only.
'use strict';
(async () => {
  const find = (id) => document.getElementById(id);
  const player = find('player');
  const screen = find('p-screen');
  const view = find('p-view');
  const cursor = find('p-cursor');
  const toggle = find('p-toggle');
  const seek = find('p-seek');
  const clock = find('p-clock');
  const speed = find('p-speed');
  const skip = find('p-skip');
  const marks = find('p-marks');

  const unpack = async (block) => {
    const bytes = Uint8Array.from(atob(block.textContent), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
    return JSON.parse(await new Response(stream).text());
  };
  const [index, ...blocks] = document.querySelectorAll('script.film');
  // from: when each reel begins; all times are microseconds.
  const { length, end, idle, from, looks, marks: places, size } = await unpack(index);

  // Reels that are unpacked, the last used last.
  const reels = new Map();
  const load = (number) => {
    const known = reels.get(number);
    const reel = known || { promise: unpack(blocks[number]).then((value) => (reel.value = value)) };
    reels.delete(number);
    reels.set(number, reel);
    if (reels.size > 4) reels.delete(reels.keys().next().value);
    return reel;
  };

  // The last element that is at or before a time, or the first.
  const before = (list, time, of) => {
    let low = 0;
    let high = list.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (of(list[middle]) <= time) low = middle;
      else high = middle;
    }
    return low;
  };

  let position = 0;
  // Where the clock began, and what it showed then; null while it is paused.
  let anchor = null;
  // The frame that is shown: number of the reel, its content, number of the frame.
  let frame = { number: 0, reel: null, at: 0 };
  const rows = [];
  const drawn = [];
  let turn = 0;

  // One run of characters that look alike. What is not ASCII gets a cell of its own, so that no font moves the rest.
  const run = (kind, text) => {
    const span = document.createElement('span');
    [span.className, span.style.cssText] = looks[kind >> 1];
    for (const piece of kind & 1 ? text : text.match(/[ -~]+|[^]/gu)) {
      if (kind & 1 || piece > '~') {
        const cell = document.createElement('span');
        cell.className = kind & 1 ? 'p-wide' : 'p-cell';
        cell.textContent = piece;
        span.append(cell);
      } else {
        span.append(piece);
      }
    }
    return span;
  };

  const draw = ({ reel, at }) => {
    const [, cols, mark, ...numbers] = reel.frames[at];
    while (rows.length > numbers.length) rows.pop().remove();
    while (rows.length < numbers.length) {
      const row = document.createElement('div');
      screen.insertBefore(row, cursor);
      drawn[rows.length] = null;
      rows.push(row);
    }
    numbers.forEach((number, line) => {
      const row = reel.rows[number];
      if (drawn[line] === row) return;
      drawn[line] = row;
      const runs = [];
      for (let n = 0; n < row.length; n += 2) runs.push(run(row[n], row[n + 1]));
      rows[line].replaceChildren(...runs);
    });
    screen.style.width = `${cols}ch`;
    cursor.hidden = mark < 0;
    if (mark >= 0) {
      cursor.style.left = `${mark % cols}ch`;
      cursor.style.top = `${Math.floor(mark / cols)}lh`;
      cursor.dataset.at = `${mark % cols},${Math.floor(mark / cols)}`;
    }
  };

  const hms = (time) => {
    const seconds = Math.floor(time / 1e6);
    const two = (number) => String(number).padStart(2, '0');
    return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  };

  // Shows the position.
  const show = async () => {
    const mine = ++turn;
    const seconds = Math.round(position) / 1e6;
    const text = `${hms(position)} of ${hms(length)}`;
    seek.value = position / 1000;
    seek.setAttribute('aria-valuetext', text);
    clock.textContent = text;
    clock.href = `#t=${seconds}`;
    const number = before(from, position, (time) => time);
    const loading = load(number);
    const reel = loading.value || (await loading.promise);
    if (mine !== turn) return;
    const at = before(reel.frames, position, ([time]) => time);
    frame = { number, reel, at };
    draw(frame);
    player.dataset.t = seconds;
    if (number + 1 < blocks.length && reel.frames.length - at < 100) load(number + 1);
  };

  // When the frame after the one that is shown begins.
  const next = () => {
    if (!frame.reel) return Infinity;
    const { number, reel, at } = frame;
    return at + 1 < reel.frames.length ? reel.frames[at + 1][0] : from[number + 1] ?? Infinity;
  };

  // Shows what is due, and waits for the next frame, or a while for the time bar.
  let timer = 0;
  const tick = () => {
    if (!anchor) return;
    const now = performance.now();
    position = Math.min(end, anchor.position + (now - anchor.now) * 1000 * speed.value);
    const upcoming = Math.min(next(), end);
    if (skip.checked && frame.reel && upcoming > position) {
      // A pause is made at most this long; so is the one at the end.
      const since = Math.max(frame.reel.frames[frame.at][0], anchor.from);
      if (position - since >= idle) {
        position = upcoming;
        anchor = { now, position, from: position };
      }
    }
    show();
    if (position >= end) return pause();
    const wait = (next() - position) / 1000 / speed.value;
    timer = setTimeout(tick, Math.max(16, Math.min(wait, 100)));
  };

  const pause = () => {
    anchor = null;
    clearTimeout(timer);
    toggle.textContent = 'Play';
  };
  const play = () => {
    if (position >= end) position = 0;
    anchor = { now: performance.now(), position, from: position };
    toggle.textContent = 'Pause';
    tick();
  };
  // The clock goes on from here.
  const restart = () => {
    if (!anchor) return;
    clearTimeout(timer);
    anchor = { now: performance.now(), position, from: position };
    tick();
  };
  const go = (time) => {
    position = Math.min(end, Math.max(0, time));
    restart();
    return show();
  };

  const step = async (forward) => {
    pause();
    if (forward) return next() === Infinity ? undefined : go(next());
    const { number, reel, at } = frame;
    if (!reel || (at === 0 && number === 0)) return go(0);
    if (at > 0) return go(reel.frames[at - 1][0]);
    const loading = load(number - 1);
    const earlier = loading.value || (await loading.promise);
    return go(earlier.frames[earlier.frames.length - 1][0]);
  };

  // A marker that was passed less than a second ago is the one that is left by going back, as in `recmode play`.
  const jump = (forward) => {
    const times = places.filter(([, what]) => what === 'marker').map(([time]) => time);
    const found = forward
      ? times.find((time) => time > position)
      : times.reverse().find((time) => time < position - 1e6) ?? 0;
    if (found !== undefined) go(found);
  };

  const change = (by) => {
    speed.selectedIndex = Math.min(speed.length - 1, Math.max(0, speed.selectedIndex + by));
    restart();
  };

  const keys = {
    ' ': () => (anchor ? pause() : play()),
    '.': () => step(true),
    ',': () => step(false),
    ArrowLeft: () => go(position - 5e6),
    ArrowRight: () => go(position + 5e6),
    '[': () => jump(false),
    ']': () => jump(true),
    '+': () => change(1),
    '=': () => change(1),
    '-': () => change(-1),
    i: () => {
      skip.checked = !skip.checked;
      restart();
    },
    m: () => document.querySelector('tr[data-t] a')?.focus(),
    '?': () => (find('p-keys').open = !find('p-keys').open),
  };
  for (let tenth = 0; tenth < 10; tenth++) keys[tenth] = () => go((length * tenth) / 10);

  player.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target === speed) return;
    if (event.key === ' ' && event.target !== view && event.target !== seek) return;
    const action = Object.hasOwn(keys, event.key) && keys[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
  toggle.addEventListener('click', keys[' ']);
  seek.addEventListener('input', () => go(seek.value * 1000));
  speed.addEventListener('change', restart);
  skip.addEventListener('change', restart);
  view.addEventListener('click', () => getSelection().isCollapsed && keys[' ']());

  // A line or a row goes to its moment. A link in it does what it does without the player.
  document.addEventListener('click', (event) => {
    const line = event.target.closest('[data-t]');
    if (!line || line === player || !getSelection().isCollapsed) return;
    go(Math.round(line.dataset.t * 1e6));
    if (!event.target.closest('a')) player.scrollIntoView({ block: 'nearest' });
  });

  // #t=SECONDS, or H:MM:SS; the line of a #L link, too.
  const follow = () => {
    let hash;
    try {
      hash = decodeURIComponent(location.hash);
    } catch {
      return undefined;
    }
    const line = hash.startsWith('#L') && find(hash.slice(1));
    if (line && line.dataset.t) return go(Math.round(line.dataset.t * 1e6));
    if (!hash.startsWith('#t=')) return undefined;
    const seconds = hash.slice(3).split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
    if (!Number.isFinite(seconds)) return undefined;
    pause();
    player.scrollIntoView({ block: 'nearest' });
    return go(Math.round(seconds * 1e6));
  };
  addEventListener('hashchange', follow);

  // As large as fits, from 8 to 14 pixels.
  const fit = () => {
    view.style.fontSize = '100px';
    const advance = find('p-probe').getBoundingClientRect().width / 1000;
    const high = (innerHeight * 0.75) / (size[1] * 1.25);
    const wide = (view.clientWidth - 2) / (size[0] * advance);
    view.style.fontSize = `${Math.max(8, Math.min(14, Math.floor(Math.min(high, wide) * 10) / 10))}px`;
    screen.style.minHeight = `${size[1]}lh`;
  };

  // A mark for each four-hundredth of the bar at most; the list of all is the table.
  const slots = new Map();
  for (const [time, what, text] of places) {
    const slot = `${what} ${Math.floor((time / Math.max(1, length)) * 400)}`;
    const mark = slots.get(slot) || document.createElement('i');
    if (!slots.has(slot)) {
      slots.set(slot, mark);
      mark.className = `p-${what}`;
      mark.style.left = `${(time / Math.max(1, length)) * 100}%`;
      mark.title = `${hms(time)} ${what}: ${text}`;
      marks.append(mark);
    }
  }

  seek.max = length / 1000;
  player.hidden = false;
  fit();
  addEventListener('resize', fit);
  await (follow() ?? show());
})();
