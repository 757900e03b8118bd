/** A list of lines of output that stays short: colours, a search, and the end in sight unless somebody scrolled away. */
import { pieces } from './ansi.js';

const most = 2000;

export function createLog(list, { told = () => {} } = {}) {
  let search = '';
  let isPaused = false;
  let waiting = [];
  let lost = 0;
  let isStale = false;
  let isDrawing = false;

  const choose = (row) => {
    row.hidden = search !== '' && !(row.plain ?? '').includes(search);
  };

  function count() {
    const found = [...list.children].filter((row) => !row.hidden).length;
    told(search === '' ? '' : `${found} ${found === 1 ? 'line' : 'lines'}`);
  }

  function draw() {
    isDrawing = false;
    if (isPaused) return;
    const stay = !isAtEnd(list);
    if (isStale) list.replaceChildren();
    isStale = false;
    if (lost > 0) waiting.unshift({ gap: `${lost} lines are left out here` });
    lost = 0;
    const rows = waiting.map(rowOf);
    waiting = [];
    rows.forEach(choose);
    list.append(...rows);
    while (list.children.length > most) list.firstChild.remove();
    if (!stay) list.scrollTop = list.scrollHeight;
    count();
  }

  function drawSoon() {
    if (isDrawing) return;
    isDrawing = true;
    requestAnimationFrame(draw);
  }

  return {
    add(lines, skipped = 0) {
      lost += skipped;
      waiting.push(...lines);
      const surplus = waiting.length - most;
      if (surplus > 0) {
        waiting = waiting.slice(surplus);
        lost += surplus;
      }
      drawSoon();
    },
    /** What comes from now on is all there is; while it is paused, what is shown stays. */
    clear() {
      waiting = [];
      lost = 0;
      isStale = true;
      drawSoon();
    },
    get isPaused() {
      return isPaused;
    },
    pause(on) {
      isPaused = on;
      drawSoon();
    },
    search(text) {
      search = text.trim().toLowerCase();
      [...list.children].forEach(choose);
      list.scrollTop = list.scrollHeight;
      count();
    },
  };
}

function isAtEnd({ scrollHeight, scrollTop, clientHeight }) {
  return scrollHeight - scrollTop - clientHeight < 40;
}

function rowOf({ id, stream, text, gap }) {
  const row = document.createElement('p');
  if (gap) {
    row.className = 'gap';
    row.textContent = gap;
    return row;
  }
  row.className = stream;
  const who = document.createElement('span');
  who.className = 'who';
  who.textContent = id;
  row.append(who);
  for (const { text: part, color, back, ...styles } of pieces(text)) {
    const classes = Object.keys(styles).filter((name) => styles[name]);
    if (!color && !back && classes.length === 0) row.append(part);
    else {
      const span = document.createElement('span');
      span.className = classes.join(' ');
      if (color) span.style.color = color;
      if (back) span.style.backgroundColor = back;
      span.textContent = part;
      row.append(span);
    }
  }
  row.plain = row.textContent.toLowerCase();
  return row;
}
