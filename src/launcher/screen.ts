/** The board as it is now, as pieces of HTML, and which of them changed since when. Looks again while anybody watches. */
import type { LastEnd } from '../fleet/fleet.js';
import type { Tag } from '../model.js';
import { type BoardGroup, createBoard } from './board.js';
import { ownLinks } from './places.js';
import type { LauncherParts } from './ports.js';
import { type News, newsOf } from './streams.js';

export interface Screen {
  /** Counts the changes. */
  readonly version: number;
  readonly groups: readonly BoardGroup[];
  /** The order of all groups and the HTML of those that changed; undefined when nothing did. */
  since(version: number): News | undefined;
  /** Reads the projects and looks at the runs now. */
  refresh(): Promise<void>;
  close(): void;
}

interface Piece {
  readonly group: BoardGroup;
  /** All that matters of it, but for the times that count by themselves. */
  readonly text: string;
  readonly version: number;
}

const lookEvery = 1_000;
/** What follows a failed launch is its end, not another one. */
const aftermath = 10_000;

/** `isWatched`: whether there is anybody to look for. `changed` is called when there is something new to see. */
export function createScreen(parts: LauncherParts, isWatched: () => boolean, changed: () => void): Screen {
  const { fleet, launches, projects, pages } = parts;
  const boardOf = createBoard();
  const linkOf = ownLinks(parts.linkSecret);
  let pieces: readonly Piece[] = [];
  let version = 1;
  let memo: { readonly from: number; readonly to: number; readonly news: News } | undefined;

  /** Of a launch that failed, the reason: what was left of it has been put down since. */
  function lastEnd(root: string, tag: Tag): LastEnd | undefined {
    const [end, failure] = [fleet.lastEnd(root, tag), launches.lastFailure(root, tag)];
    return failure !== undefined && (end?.at ?? 0) < failure.at + aftermath ? failure : end;
  }

  function draw(): void {
    const seen = { projects: projects.all, runs: fleet.runs, lastEnd };
    const groups: readonly BoardGroup[] = boardOf({ ...parts, ...seen, linkOf, maskOf: parts.disclosure.of });
    const before = new Map(pieces.map((piece) => [piece.group.key, piece]));
    const next = groups.map((group): Piece => {
      const text = JSON.stringify(group);
      const old = before.get(group.key);
      return old?.text === text ? old : { group, text, version: version + 1 };
    });
    const isSame = next.length === pieces.length && next.every((piece, n) => piece === pieces[n]);
    if (isSame) return;
    version += 1;
    pieces = next;
    changed();
  }

  const leave = fleet.onChange(draw);
  const stop = lookAgain(parts, async (turn) => {
    if (!isWatched()) return;
    await projects.refresh();
    await fleet.look(turn % 2 === 0);
  });
  return {
    get version() {
      return version;
    },
    get groups() {
      return pieces.map(({ group }) => group);
    },
    since(from) {
      if (from === version) return undefined;
      if (memo?.from !== from || memo.to !== version) {
        const news = pieces.filter((piece) => piece.version > from || from > version);
        const html = Object.fromEntries(news.map(({ group }) => [group.key, pages.group(group, parts.token)]));
        memo = {
          from,
          to: version,
          news: newsOf('board', JSON.stringify({ version, order: pieces.map(({ group }) => group.key), html })),
        };
      }
      return memo.news;
    },
    async refresh() {
      await projects.refresh();
      await fleet.look(true);
      draw();
    },
    close() {
      leave();
      stop();
    },
  };
}

/** One look that fails is no reason to end what runs. */
function lookAgain({ clock, told }: LauncherParts, look: (turn: number) => Promise<void>): () => void {
  let isOver = false;
  let cancel = () => {};
  const next = (turn: number) => {
    cancel = clock.wakeAt(clock.now() + lookEvery, async () => {
      await look(turn).catch((error: Error) => told(`the page shows how things were: ${error.message}`));
      if (!isOver) next(turn + 1);
    });
  };
  next(0);
  return () => {
    isOver = true;
    cancel();
  };
}
